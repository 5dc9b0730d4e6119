"""The direction of a score."""

from __future__ import annotations

from florence2.evaluation.metrics.score import Score


def test_a_larger_value_is_better_unless_the_score_says_otherwise() -> None:
    accuracy, errors = Score("accuracy", "Accuracy"), Score("errors", "Errors", higher_is_better=False)
    assert accuracy.improves(0.5, 0.6)
    assert not accuracy.improves(0.5, 0.5)
    assert errors.improves(0.6, 0.5)
    assert not errors.improves(0.5, 0.6)
