"""Which scores decide what a model is worth, and when it is better than answers without seeing the image."""

from __future__ import annotations

from florence2.evaluation.baselines.scores import BaselineScores
from florence2.evaluation.bootstrap import Comparison, Interval
from florence2.evaluation.report import ModelEvaluation
from florence2.evaluation.scores import Score
from florence2.evaluation.worth import worth_of


def evaluation(**scores: tuple[float, float, float, float]) -> ModelEvaluation:
    """Return an evaluation from the score of the model, that of the baseline, and the ends of the difference."""
    compared = {
        name: Comparison(model - base, Interval(low, high), 0.5) for name, (model, base, low, high) in scores.items()
    }
    baseline = BaselineScores({name: values[1] for name, values in scores.items()}, compared)
    return ModelEvaluation("m", {name: values[0] for name, values in scores.items()}, baseline=baseline)


def names(changes: object) -> list[str]:
    return [change.score.name for change in changes]  # type: ignore[attr-defined]


def test_one_score_of_each_metric_decides() -> None:
    worth = worth_of(
        evaluation(
            map50=(0.4, 0.1, 0.2, 0.4),
            map=(0.2, 0.1, -0.1, 0.2),
            vqa_accuracy=(0.3, 0.3, -0.1, 0.1),
            bleu=(0.1, 0.2, -0.2, -0.05),
        )
    )
    assert worth is not None
    assert (names(worth.better), names(worth.not_better)) == (["map50"], ["vqa_accuracy"])
    assert not worth.is_nothing


def test_an_error_rate_is_better_where_it_is_smaller() -> None:
    better = worth_of(evaluation(character_error_rate=(0.2, 0.9, -0.8, -0.6)))
    worse = worth_of(evaluation(character_error_rate=(0.9, 0.8, 0.05, 0.15)))
    assert better is not None
    assert worse is not None
    assert (better.is_nothing, worse.is_nothing) == (False, True)


def test_a_difference_of_nothing_is_not_better() -> None:
    worth = worth_of(evaluation(vqa_accuracy=(0.3, 0.3, 0.0, 0.0)))
    assert worth is not None
    assert worth.is_nothing


def test_without_a_headline_score_the_first_one_decides() -> None:
    worth = worth_of(evaluation(bleu=(0.3, 0.1, 0.1, 0.3), rouge_l=(0.1, 0.1, -0.1, 0.1)))
    assert worth is not None
    assert (names(worth.better), names(worth.not_better)) == (["bleu"], [])


def test_the_headline_score_of_a_users_metric_decides_too() -> None:
    declared = (Score("found", "Found", headline=True),)
    known = evaluation(found=(0.5, 0.5, -0.1, 0.1))
    worth = worth_of(ModelEvaluation("m", known.metrics, declared=declared, baseline=known.baseline))
    assert worth is not None
    assert names(worth.not_better) == ["found"]


def test_without_a_baseline_or_resamples_nothing_is_known() -> None:
    assert worth_of(ModelEvaluation("m", {"map50": 0.5})) is None
    unknown = worth_of(ModelEvaluation("m", {"map50": 0.5}, baseline=BaselineScores({"map50": 0.1})))
    assert unknown is not None
    assert names(unknown.unknown) == ["map50"]
    assert not unknown.is_nothing
