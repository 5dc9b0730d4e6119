"""Who goes into training, validation and test, and stays there."""
