"""Artifacts to files and back: what steps return is stored by these, with content hashes, never pickled."""
