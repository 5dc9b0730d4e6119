"""CIDEr, BLEU, ROUGE-L and chrF against the programs with which they are published."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from florence2.evaluation.metrics.captions import BLEUMetric, ChrFMetric, RougeLMetric, caption_words
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


@pytest.mark.parametrize(
    ("caption", "references", "value"),
    [
        (CASES[0][0], CASES[0][1], 0.8571428571428571),
        (CASES[1][0], CASES[1][1], 0.7272727272727272),
        (CASES[3][0], CASES[3][1], 0.47619047619047616),
        ("The cat's 9-of-clubs, red!", ["A cat s 9 of clubs red one", "red"], 0.8),
        ("b a", ["a b", "x a y b z"], 0.5),
        ("", ["a b"], 0.0),
    ],
)
def test_rouge_l_equals_the_package_rouge_score(caption: str, references: list[str], value: float) -> None:
    assert RougeLMetric().score(caption, references) == pytest.approx(value, abs=1e-12)


def test_words_of_every_script_are_words() -> None:
    assert caption_words("Une t-shirt d'été_2, 狗!") == ["une", "t", "shirt", "d", "été", "2", "狗"]
    assert RougeLMetric().score("Schöne Füße", "schöne Hände") == 0.5
    assert RougeLMetric().score("!", "?") == 0.0


def test_bleu_and_chrf_are_those_of_sacrebleu_as_fractions() -> None:
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    predictions = ["a red ring on the table", "two cards lie there, face down."]
    references = ["a red ring on the wooden table", "three cards lie there, face down."]
    pairs = list(zip(predictions, references, strict=True))
    bleu, chrf = BLEU().corpus_score(predictions, [references]), CHRF().corpus_score(predictions, [references])
    assert updated(BLEUMetric(), pairs).compute() == {"bleu": pytest.approx(bleu.score / 100)}
    assert updated(ChrFMetric(), pairs).compute() == {"chrf": pytest.approx(chrf.score / 100)}
    assert 0.3 < bleu.score / 100 < 1


def test_captions_may_have_different_numbers_of_references() -> None:
    from sacrebleu.metrics.bleu import BLEU

    pairs = [
        ("a red ring on the table", ["a ring", "a red ring on a table"]),
        ("two cards lie here", ["two cards lie"]),
    ]
    second: Any = [pairs[0][1][1], None]  # sacrebleu's mark for "no further reference"
    expected = BLEU().corpus_score([caption for caption, _ in pairs], [[texts[0] for _, texts in pairs], second])
    assert updated(BLEUMetric(), pairs).compute()["bleu"] == pytest.approx(expected.score / 100)
    best = updated(ChrFMetric(), [("a red ring", ["nothing like it", "a red ring"])])
    assert best.compute()["chrf"] == pytest.approx(1.0)


@pytest.mark.parametrize("kind", [BLEUMetric, ChrFMetric])
def test_resamples_are_scored_as_a_split_of_their_own(kind: type[Captions]) -> None:
    pairs = [(caption, expected) for caption, expected, _ in CASES]
    weights = np.random.default_rng(1).multinomial(len(pairs), np.full(len(pairs), 1 / len(pairs)), size=20)
    scores = updated(kind(), pairs).resampled(weights)[kind.name]
    for row, score in zip(weights, scores, strict=True):
        drawn = [pair for pair, times in zip(pairs, row, strict=True) for _ in range(times)]
        assert score == pytest.approx(updated(kind(), drawn).compute()[kind.name], abs=1e-12)


@pytest.mark.parametrize("kind", [BLEUMetric, ChrFMetric])
def test_where_no_reference_has_words_there_is_no_score(kind: type[Captions]) -> None:
    metric = updated(kind(), [("something", "")])
    assert metric.compute() == {}
    assert math.isnan(metric.values()[0])
    assert np.isnan(metric.resampled(np.ones((2, 1), dtype=np.int64))[kind.name]).all()
