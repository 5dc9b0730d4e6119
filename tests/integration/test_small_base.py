"""What ``builtin:small`` can do without fine-tuning, on scenes that it has not seen."""

from __future__ import annotations

import pytest

from florence2.config import ModelConfig
from florence2.model.base import load_base
from florence2.model.florence import Florence2
from pretraining.world.evaluate import measure


@pytest.fixture(scope="module")
def small() -> Florence2:
    return load_base(ModelConfig(base="builtin:small"))


@pytest.mark.parametrize(
    ("task", "score", "least"),
    [
        ("<OD>", "map50", 0.8),
        ("<OCR>", "word accuracy", 0.8),
        ("<VQA>", "accuracy", 0.8),
        ("<DocVQA>", "accuracy", 0.75),
    ],
)
def test_small_does_without_fine_tuning(small: Florence2, task: str, score: str, least: float) -> None:
    scores = measure(small, task, count=48, seed=11, side=128)
    assert scores[score] > least > scores["blind"] + 0.2
