"""A model is loaded by its name; a wrong name or device is an error."""

from __future__ import annotations

import pytest

import florence2
from florence2.errors import ConfigurationError, ModelError


def test_a_device_or_a_model_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"device 'gpu': this machine has none .*; give 'auto' or 'cpu'"):
        florence2.load("builtin:nano", device="gpu")
    with pytest.raises(ConfigurationError, match=r"device 'cuda:77': this machine has none"):
        florence2.load("builtin:nano", device="cuda:77")
    with pytest.raises(ModelError, match="no folder of that name"):
        florence2.load("none")
