"""What a process of a fine-tune derives from its samples."""

from __future__ import annotations

import pytest

from florence2.codec.locations import BINS
from florence2.config import ModelConfig
from florence2.datasets.formats import read_dataset
from florence2.datasets.manifest import DatasetManifest
from florence2.model.base import load_base
from florence2.model.florence import Florence2
from florence2.training.job import new_word_ids
from tests.builders import write_scenes


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> DatasetManifest:
    return read_dataset(write_scenes(tmp_path_factory.mktemp("scenes")))


@pytest.fixture
def nano() -> Florence2:
    return load_base(ModelConfig(base="builtin:nano"))


def test_new_words_are_those_of_classes_and_answers_never_locations(splits: DatasetManifest, nano: Florence2) -> None:
    words = new_word_ids(splits.select("train"), nano)
    text = nano.tokenizer.decode(words)
    assert "tile" in text.replace(" ", "")
    first = nano.tokenizer.convert_tokens_to_ids("<loc_0>")
    assert not [token for token in words if first <= token < first + BINS]
