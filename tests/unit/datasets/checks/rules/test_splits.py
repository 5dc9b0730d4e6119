"""The rules about splits."""

from __future__ import annotations

from tests.builders import manifest
from tests.rules import found


def test_empty_splits() -> None:
    assert found(manifest({}, splits=["train", "valid"])) == [("split-empty", 0, "the split has no annotation")]
    assert found(manifest({"split": "test"}, splits=["train"]))[-1][0] == "train-empty"
    assert found(manifest({"split": ""}, splits=["train"])) == []
