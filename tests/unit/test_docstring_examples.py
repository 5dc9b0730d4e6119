"""The examples in the docstrings of the public names run as they are, but for those that train."""

from __future__ import annotations

import doctest
import importlib

import pytest

MODULES = [
    "florence2.codec.detections",
    "florence2.evaluation.metrics.metric",
    "florence2.sdk.model",
    "florence2.sdk.models",
    "florence2.sdk.training",
    "florence2.training.history",
]


@pytest.mark.parametrize("name", MODULES)
def test_an_example_gives_what_it_says(name: str) -> None:
    failed, tried = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert tried
    assert not failed
