"""A metric of the user's own: named by its class, found by its name, refused in a sentence where it cannot be used."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from florence2 import AnswerKind, AnswerMetric, Configuration, Detections, MeanAveragePrecisionMetric
from florence2.codec.tasks import TASKS
from florence2.errors import ConfigurationError
from florence2.evaluation.metrics import metric_named, metrics_for
from florence2.evaluation.metrics.metric import SampleMeanMetric
from florence2.evaluation.metrics.score import Score


class CountMetric(SampleMeanMetric[Detections, Detections]):
    """Whether as many boxes were found as there are."""

    name: ClassVar[str] = "right_count"
    judges: ClassVar[tuple[AnswerKind, ...]] = (AnswerKind.BOXES,)

    def score(self, prediction: Detections, target: Detections) -> float:
        return float(len(prediction) == len(target))

    def describe(self) -> str:
        return "Share of images with the right number of boxes."


class BlindMetric(CountMetric):
    name: ClassVar[str] = "blind"
    judges: ClassVar[tuple[AnswerKind, ...]] = ()


class TakenMetric(CountMetric):
    name: ClassVar[str] = "anls"


class ErrorMetric(CountMetric):
    name: ClassVar[str] = "errors"
    scores: ClassVar[tuple[Score, ...]] = (Score(name, "Errors", higher_is_better=False),)


class OldErrorMetric(CountMetric):
    name: ClassVar[str] = "old_errors"
    higher_is_better: ClassVar[bool] = False


class HalvesMetric(CountMetric):
    """Two scores."""

    name: ClassVar[str] = "halves"
    scores: ClassVar[tuple[Score, ...]] = (Score(name, "Halves"), Score("quarters", "Quarters"))


class OtherHalvesMetric(HalvesMetric):
    name: ClassVar[str] = "other_halves"


class ChoosyMetric(CountMetric):
    name: ClassVar[str] = "choosy"

    def __init__(self, threshold: float) -> None:
        super().__init__()
        self.threshold = threshold


class LackingMetric(AnswerMetric):
    name: ClassVar[str] = "lacking"


HERE = __name__


@pytest.mark.parametrize("given", [CountMetric, CountMetric()])
def test_a_class_or_an_object_is_named_by_its_class(given: Any) -> None:
    config = Configuration(metrics=[given, MeanAveragePrecisionMetric(), "anls"])
    assert config.evaluation.metrics == (f"{HERE}:CountMetric", "mean_average_precision", "anls")
    assert Configuration(**config.model_dump(mode="json")) == config, "it survives YAML"
    assert metric_named(f"{HERE}:CountMetric") is CountMetric


def test_it_declares_the_scores_that_it_computes() -> None:
    scores = {kind: [f.name for f in kind.declared_scores()] for kind in (CountMetric, HalvesMetric, OtherHalvesMetric)}
    assert scores == {
        CountMetric: ["right_count"],
        HalvesMetric: ["halves", "quarters"],
        OtherHalvesMetric: ["other_halves", "quarters"],
    }


def test_it_judges_what_it_says() -> None:
    names = (f"{HERE}:CountMetric",)
    assert metrics_for(TASKS["<OD>"], names) == (CountMetric,)
    assert metrics_for(TASKS["<VQA>"], names) == ()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_such_module_here:M", "no_such_module_here cannot be imported .*; install it, or put its folder in"),
        (f"{HERE}:NoMetric", "NoMetric is not in"),
        ("__main__:NoMetric", "NoMetric is known in its own script alone; run it there"),
        (f"{HERE}:Configuration", "is no class below florence2.Metric"),
        (f"{HERE}:LackingMetric", "lacks describe, score"),
        (f"{HERE}:BlindMetric", r"must say what it can read, as in: judges = \(AnswerKind.BOXES,\)"),
        (f"{HERE}:TakenMetric", "has the name 'anls' of a metric that there is already"),
        (f"{HERE}:ErrorMetric", "counts errors"),
        (f"{HERE}:OldErrorMetric", "counts errors"),
        (f"{HERE}:ChoosyMetric", "without arguments: give those of its __init__ defaults"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(name: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        metric_named(name)


def test_a_class_within_a_function_cannot_be_found_again() -> None:
    class InnerMetric(CountMetric):
        name: ClassVar[str] = "inner"

    with pytest.raises(ConfigurationError, match=r"InnerMetric is found by its name: define it at the top"):
        Configuration(metrics=[InnerMetric])
