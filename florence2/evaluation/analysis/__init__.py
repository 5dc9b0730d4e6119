"""The numbers of a report besides the scores: where a model is right and where it fails."""
