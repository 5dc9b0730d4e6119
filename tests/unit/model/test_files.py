"""One file of a base."""

from __future__ import annotations

import pytest

from florence2.config import ModelConfig
from florence2.errors import ModelError
from florence2.model.base import BUILTIN_MODELS
from florence2.model.files import model_file


def test_the_file_of_a_folder_is_in_it() -> None:
    found = model_file(ModelConfig(base="builtin:nano"), "config.json")
    assert found == BUILTIN_MODELS["builtin:nano"] / "config.json"


def test_a_base_that_is_not_there_is_named() -> None:
    with pytest.raises(ModelError, match="unknown base model 'no-such-model'"):
        model_file(ModelConfig(base="no-such-model"), "config.json")
