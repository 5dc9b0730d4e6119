"""The pages of docs/ that are made from the code: ``python -m docs.generator`` writes them anew.

They are kept in the repository, so that they can be read there too; a test says when one is out of date.
"""
