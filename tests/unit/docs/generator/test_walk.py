"""The walk itself is run by ``tests/documents``; here is what it recognises an annotation by."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from docs.generator.walk import FilesOf, observed
from florence2.codec import Detections, format_detections


@dataclass
class Holder:
    content: Any


@pytest.mark.parametrize(
    "value",
    [
        "umbrella<loc_1>",
        b'{"suffix": "umbrella"}',
        ["a", ("b", "umbrella")],
        {"umbrella": 1},
        {"a": "umbrella"},
        Holder(["umbrella"]),
        pd.DataFrame({"suffix": ["cat", "umbrella"]}),
        pd.Series(["umbrella"]),
        np.array(["umbrella"]),
        [1, 797, 2],
        torch.tensor([[1, 797, 2]]),
        np.array([797]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_annotation_is_recognised_in_every_form(value: Any) -> None:
    assert FilesOf(797).holds(value)


@pytest.mark.parametrize(
    "value", ["cat", b"cat", 797, None, [1, 2], {"a": "cat"}, torch.tensor([797.0]), [[[[["umbrella"]]]]]]
)
def test_other_values_are_none(value: Any) -> None:
    assert not FilesOf(797).holds(value)


def test_functions_of_the_library_are_observed_until_another_returns() -> None:
    def last() -> None: ...

    boxes = Detections(np.array([[0, 0, 5, 5]], dtype=np.float32), ("umbrella",))
    files = FilesOf(797)
    with observed(files, until="last"):
        format_detections(boxes, (10, 10))
        before = set(files.run)
        last()
        (Path(__file__).parent / "b").exists()
        Detections(np.array([[0, 0, 5, 5]], dtype=np.float32), ("umbrella",))
    assert files.run == before
    assert any(file.startswith("codec/") for file in files.found)
