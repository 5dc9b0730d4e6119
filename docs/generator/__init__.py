"""Pages of docs/ that follow from the code: ``python -m docs.generator`` writes them.

They are part of the repository, so that they can be read there; a test fails when one is out of date.
"""
