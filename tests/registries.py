"""The name of the registered model that tests try things on."""

__all__ = ["NAME"]

NAME = "cards"
