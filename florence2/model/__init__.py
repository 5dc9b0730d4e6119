"""Models and processors: load, adapt, save."""
