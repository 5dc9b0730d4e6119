"""Pipelines: which step follows which. No logic, no loops over data."""
