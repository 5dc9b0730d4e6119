"""The baseline of every score: the best answers without seeing the image, fitted on the training split alone."""
