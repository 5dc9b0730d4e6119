"""The benchmark of a first training: the share of what a search by hand reaches."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.first_training import best_by_hand

ARMS: list[dict[str, Any]] = [
    {"data": "cells", "map50": 0.58},
    {"data": "cells", "map50": 0.61, "map": 0.3},
    {"data": "cells", "error": "it diverged"},
    {"data": "shapes", "vqa_accuracy": 0.9},
]


@pytest.mark.parametrize(
    ("data", "score", "best"),
    [("cells", "map50", 0.61), ("cells", "map", 0.3), ("shapes", "vqa_accuracy", 0.9), ("shapes", "map50", None)],
)
def test_the_best_arm_of_a_data_set_is_found(data: str, score: str, best: float | None) -> None:
    assert best_by_hand(ARMS, data, score) == best
