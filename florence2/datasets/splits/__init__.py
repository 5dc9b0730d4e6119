"""Which image belongs to training, validation and test, in this run and in later ones."""
