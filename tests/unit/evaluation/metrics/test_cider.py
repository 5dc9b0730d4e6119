"""CIDEr-D is that of the program of the COCO caption challenge."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from florence2.evaluation.metrics.cider import CIDErMetric, cider_scores
from florence2.evaluation.metrics.metric import Metric

Captions = Metric[str, str | Sequence[str]]

CASES: list[tuple[str, list[str], float]] = [
    ("a red ring on a wooden table", ["a red ring lies on a table", "one red ring on wood"], 3.177054220126621),
    (
        "two cards on a table",
        ["three playing cards on a table", "the nine of clubs and two other cards"],
        2.8436264090394214,
    ),
    ("a dog", ["a small brown dog runs over the grass"], 0.632247533095963),
    (
        "a man rides a horse on the beach at dusk near the sea with a hat",
        ["a man rides a horse", "someone riding a brown horse on a beach"],
        0.6393034688901433,
    ),
    ("", ["a grey cat sleeps"], 0.0),
    ("a grey cat sleeps on a sofa", ["a grey cat sleeps on a sofa"], 10.0),
]
"""Captions, references, and what ``Cider().compute_score`` of pycocoevalcap 1.2 says to them as one set."""


def updated(metric: Captions, cases: Sequence[tuple[str, str | Sequence[str]]]) -> Captions:
    for caption, references in cases:
        metric.update(caption, references)
    return metric


def test_cider_equals_the_program_of_the_coco_caption_challenge() -> None:
    samples = [(caption.split(), [reference.split() for reference in expected]) for caption, expected, _ in CASES]
    assert cider_scores(samples) == pytest.approx([value for *_, value in CASES], abs=1e-9)
    metric = updated(CIDErMetric(), [(caption, expected) for caption, expected, _ in CASES])
    assert metric.compute() == {"cider": pytest.approx(2.8820386051920246, abs=1e-9)}
    assert metric.values() == pytest.approx([value for *_, value in CASES], abs=1e-9)


def test_cider_knows_rare_words_only_from_several_images() -> None:
    alone = updated(CIDErMetric(), [("a cat", "a cat")])
    assert alone.compute() == {}
    assert math.isnan(alone.values()[0])
    assert CIDErMetric().compute() == {}
    assert cider_scores([]) == []
    common = updated(CIDErMetric(), [("a cat", "a cat"), ("a cat", "a cat")])
    assert common.compute() == {"cider": 0.0}  # what every image shows says nothing of one


def test_cider_counts_samples_that_are_added_after_it_was_computed() -> None:
    metric = updated(CIDErMetric(), [("a red ring", "a red ring"), ("a cat", "a dog")])
    before = metric.compute()
    updated(metric, [("two cards", "two cards")])
    assert metric.compute() != before
    assert len(metric.values()) == 3
