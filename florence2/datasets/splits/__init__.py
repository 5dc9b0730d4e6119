"""Which image is in the training, validation and test split, in this run and in later ones."""
