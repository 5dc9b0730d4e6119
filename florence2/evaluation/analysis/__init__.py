"""What a report says besides the metrics: where a model is right and where it fails, as numbers without a page."""
