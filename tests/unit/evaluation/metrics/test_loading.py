"""Metrics of users and of other packages: found by their names, refused with a clear message."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest

from florence2 import AnswerKind, AnswerMetric, Configuration, Detections, MeanAveragePrecisionMetric
from florence2.codec.tasks import TASKS
from florence2.errors import ConfigurationError
from florence2.evaluation.metrics.loading import source_modules
from florence2.evaluation.metrics.metric import SampleMeanMetric
from florence2.evaluation.metrics.registry import metric_named, metrics_for
from florence2.evaluation.metrics.score import Score


class CountMetric(SampleMeanMetric[Detections, Detections]):
    """Share of images with the right number of boxes."""

    name: ClassVar[str] = "right_count"
    answer_kinds: ClassVar[tuple[AnswerKind, ...]] = (AnswerKind.BOXES,)

    def score(self, prediction: Detections, target: Detections) -> float:
        return float(len(prediction) == len(target))

    def describe(self) -> str:
        return "Share of images with the right number of boxes."


class BlindMetric(CountMetric):
    name: ClassVar[str] = "blind"
    answer_kinds: ClassVar[tuple[AnswerKind, ...]] = ()


class TakenMetric(CountMetric):
    name: ClassVar[str] = "anls"


class TurnedMetric(CountMetric):
    name: ClassVar[str] = "turned"
    scores: ClassVar[tuple[Score, ...]] = (Score("map50", "mAP50", higher_is_better=False),)


class MissedMetric(CountMetric):
    """A rate of errors: less is better."""

    name: ClassVar[str] = "missed"
    scores: ClassVar[tuple[Score, ...]] = (Score(name, "Wrong counts", "share of images", higher_is_better=False),)

    def score(self, prediction: Detections, target: Detections) -> float:
        return 1 - super().score(prediction, target)


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


def test_it_evaluates_the_kinds_of_answers_that_it_declares() -> None:
    names = (f"{HERE}:CountMetric",)
    assert metrics_for(TASKS["<OD>"], names) == (CountMetric,)
    assert metrics_for(TASKS["<VQA>"], names) == ()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_such_module_here:M", "no_such_module_here cannot be imported .*; install it, or add its folder to"),
        (f"{HERE}:NoMetric", "NoMetric is not in"),
        ("__main__:NoMetric", "NoMetric is defined in another script; run that script"),
        (f"{HERE}:Configuration", "is not a class below florence2.Metric"),
        (f"{HERE}:LackingMetric", "lacks describe, score"),
        (f"{HERE}:BlindMetric", r"must declare what it reads, as in: answer_kinds = \(AnswerKind.BOXES,\)"),
        (f"{HERE}:TakenMetric", "has the name 'anls' of a metric of this library"),
        (f"{HERE}:TurnedMetric", "turns the direction of the score 'map50' of this library"),
        (f"{HERE}:ChoosyMetric", "give the parameters of its __init__ default values"),
    ],
)
def test_the_message_for_an_unusable_class_says_what_is_missing(name: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        metric_named(name)


def test_a_class_within_a_function_cannot_be_found_again() -> None:
    class InnerMetric(CountMetric):
        name: ClassVar[str] = "inner"

    with pytest.raises(
        ConfigurationError, match=r"InnerMetric.*: cannot be found by its name in a function; define it at the top"
    ):
        Configuration(metrics=[InnerMetric])


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Install the package ``extra`` with three metrics, of which only ``first_word`` can be used; return its module."""
    module = "extra_metrics_of_a_package"
    (tmp_path / f"{module}.py").write_text(
        "from florence2 import AnswerMetric\n"
        "class FirstWordMetric(AnswerMetric):\n"
        "    name = 'first_word'\n"
        "    def score(self, prediction, target):\n"
        "        return 1.0\n"
        "    def describe(self):\n"
        "        return 'Share of answers whose first word is right.'\n"
    )
    (tmp_path / "broken_metrics_of_a_package.py").write_text("import no_such_library\n")
    info = tmp_path / "extra-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: extra\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[florence2.metrics]\nfirst_word = {module}:FirstWordMetric\nsecond_word = {module}:FirstWordMetric\n"
        "broken = broken_metrics_of_a_package:BrokenMetric\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, module, raising=False)
    return module


def test_a_metric_of_an_installed_package_is_found_by_its_name(package: str) -> None:
    assert source_modules(("anls", "first_word", "own:Class")) == [package, "own"]
    assert package not in sys.modules
    (metric,) = metrics_for(TASKS["<VQA>"], ("first_word",))
    assert (metric.__module__, metric.name) == (package, "first_word")
    assert metric not in metrics_for(TASKS["<VQA>"]), "an installed package changes no default"
    with pytest.raises(ConfigurationError, match="did you mean 'first_word'"):
        metric_named("first_wrd")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "broken",
            "'broken' of the package extra cannot be loaded from broken_metrics.*No module named 'no_such_library'",
        ),
        ("second_word", "'second_word' of the package extra: its class has the name 'first_word'"),
    ],
)
def test_the_message_for_a_broken_plugin_names_its_package(package: str, name: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        metric_named(name)


def test_two_packages_with_a_metric_of_one_name_are_refused(package: str, tmp_path: Path) -> None:
    info = tmp_path / "other-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[florence2.metrics]\nfirst_word = {package}:OtherMetric\n")
    with pytest.raises(
        ConfigurationError, match=f"packages (extra and other|other and extra); .*{package}:OtherMetric"
    ):
        metric_named("first_word")
