"""Import Great Expectations without what checks on a table of pandas never need.

Its import takes most of the time of a validation: 5.8 s of processor time, 2.1 s without what follows. scipy.stats and
altair, of distributions and plots that no rule has, are put off until something uses them, which nothing here does.
What reads SQL databases and clouds is left out in a process that ends after the validation.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

__all__ = ["BACKENDS", "DEFERRED", "import_great_expectations", "leave_out_backends"]

DEFERRED = ("scipy.stats", "altair")
"""Modules that are imported at their first use."""

BACKENDS = ("sqlalchemy", "google.cloud", "google.api_core", "google.auth", "boto3", "botocore", "azure", "pyspark")
"""Packages that are optional for Great Expectations and never used with a table of pandas."""


_left_out: list[str] = []
"""The backends without which Great Expectations will be imported in this process."""


def leave_out_backends() -> None:
    """Have Great Expectations imported without databases and clouds in this process, unless they are imported already.

    For a command, in which nobody else uses it; nothing is imported yet.
    """
    _left_out[:] = BACKENDS


def import_great_expectations() -> None:
    """Import Great Expectations, unless that has happened."""
    if "great_expectations" in sys.modules:
        return
    # Read when the package is imported; without it a run reports usage to a server.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    # It logs every method that it makes, where the level of the root is low, as in a step on a cluster.
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    with warnings.catch_warnings(), _deferred(DEFERRED), _hidden(tuple(_left_out)):
        # Google's client, of which it imports a part, announces when it will no longer support this Python.
        warnings.simplefilter("ignore", FutureWarning)
        importlib.import_module("great_expectations")
        importlib.import_module("florence2.adapters.rule_expectation")


class _Deferred(ModuleType):
    """Stands for a module until one of its attributes is used. The LazyLoader of Python imports it at ``import``."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


@contextlib.contextmanager
def _deferred(names: tuple[str, ...]) -> Iterator[None]:
    placed = {name: _Deferred(name) for name in names if name not in sys.modules}
    sys.modules.update(placed)
    try:
        yield
    finally:
        for name, module in placed.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


@contextlib.contextmanager
def _hidden(names: tuple[str, ...]) -> Iterator[None]:
    """Let the import of packages fail, as if they were not installed; those that are imported stay."""
    hidden: dict[str, Any] = {name: None for name in names if name not in sys.modules}
    sys.modules.update(hidden)
    try:
        yield
    finally:
        for name in hidden:
            if sys.modules.get(name, name) is None:
                del sys.modules[name]
