"""Artifacts to files and back: they store what steps return, with content hashes, and pickle nothing."""
