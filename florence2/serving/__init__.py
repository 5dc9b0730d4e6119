"""A model behind HTTP: ``florence2 serve``."""
