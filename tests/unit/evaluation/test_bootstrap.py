"""Intervals and paired comparisons: over images, on equal resamples, defined at every edge."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import TypeAdapter

import florence2.evaluation.bootstrap as bootstrap
from florence2.codec.detections import Detections
from florence2.errors import ConfigurationError
from florence2.evaluation.bootstrap import (
    Comparison,
    Comparisons,
    Intervals,
    bootstrap_intervals,
    paired_comparison,
    resample,
)
from florence2.evaluation.metrics.detection import MeanAveragePrecisionMetric
from florence2.evaluation.metrics.metric import Metric, SampleMeanMetric


class Share(SampleMeanMetric[str, str]):
    """The share of the answers "yes"."""

    name: ClassVar[str] = "share"

    def score(self, prediction: str, target: str) -> float:
        return float(prediction == target)

    def describe(self) -> str:
        return "The share of the answers yes."


class Errors(Share):
    """The same under the name of a score that is better when it is smaller."""

    name: ClassVar[str] = "word_error_rate"


def share(values: Sequence[int], kind: type[Share] = Share) -> Share:
    metric = kind()
    for value in values:
        metric.update("yes" if value else "no", "yes")
    return metric


def each_its_own(count: int) -> NDArray[np.int64]:
    return np.arange(count)


def one_box(found: bool, name: str = "ring") -> tuple[Detections, Detections]:
    """Return a prediction and a truth of one box."""
    truth = Detections(np.array([[0, 0, 40, 40]], dtype=np.float32), (name,))
    return (dataclasses.replace(truth, confidence=np.array([0.9])) if found else Detections.empty()), truth


def boxes(found: Sequence[bool], names: Sequence[str] | None = None) -> MeanAveragePrecisionMetric:
    metric = MeanAveragePrecisionMetric()
    for index, each in enumerate(found):
        metric.update(*one_box(each, names[index] if names else "ring"))
    return metric


def test_the_interval_of_a_share_holds_the_true_value_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    held = 0
    for seed in range(300):
        values = random.random(80) < 0.7
        interval = bootstrap_intervals(resample([share(values.tolist())], [each_its_own(80)], 300, seed)).scores[
            "share"
        ]
        held += interval.low <= 0.7 <= interval.high
    # 95 % with a standard error of 1.3 %; the percentile interval is known to fall a little short.
    assert 0.90 <= held / 300 <= 0.98


def test_the_interval_is_as_wide_as_the_formula_for_a_share() -> None:
    values = np.arange(400) % 4 == 0
    interval = bootstrap_intervals(resample([share(values.tolist())], [each_its_own(400)])).scores["share"]
    expected = 2 * 1.96 * np.sqrt(0.25 * 0.75 / 400)
    assert interval.high - interval.low == pytest.approx(expected, rel=0.08)
    assert interval.low < 0.25 < interval.high
    assert interval.level == 0.95


def test_samples_of_an_image_are_drawn_together() -> None:
    values = (np.arange(100) % 2 == 0).tolist()
    alone = bootstrap_intervals(resample([share(values)], [each_its_own(100)])).scores["share"]
    repeated = np.repeat(values, 4).tolist()
    together = bootstrap_intervals(resample([share(repeated)], [np.repeat(each_its_own(100), 4)])).scores["share"]
    assert together == alone


def test_a_wider_level_gives_a_wider_interval() -> None:
    resamples = resample([share([0, 1, 1, 0, 1])], [each_its_own(5)])
    narrow, wide = (bootstrap_intervals(resamples, level).scores["share"] for level in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics, units = [share([0, 1, 1, 0, 1, 1])], [each_its_own(6)]
    whole = resample(metrics, units, 50).scores["share"].resampled
    monkeypatch.setattr(bootstrap, "_WEIGHTS_IN_MEMORY", 6 * 7)
    np.testing.assert_array_equal(resample(metrics, units, 50).scores["share"].resampled, whole)


def test_equal_seeds_give_equal_resamples_and_others_others() -> None:
    metrics, units = [share([0, 1, 1, 0, 1, 1])], [each_its_own(6)]
    first, again, other = (resample(metrics, units, 50, seed).scores["share"].resampled for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_metrics_share_the_images_in_whatever_order_they_saw_them() -> None:
    found = [True, False, True, True, False, True]
    order = np.array([3, 1, 0, 2, 5, 4])
    metrics: list[Metric[Any, Any]] = [boxes(found), share([found[image] for image in order])]
    scores = resample(metrics, [each_its_own(6), order], 40).scores
    # One true box in each image: the share of the boxes that are found is that of the images.
    np.testing.assert_allclose(scores["mar_100"].resampled, scores["share"].resampled)
    assert scores["share"].resampled.std() > 0


def test_map_of_resamples_is_that_of_the_copied_split() -> None:
    random = np.random.default_rng(3)
    found, names = (random.random(9) < 0.6).tolist(), random.choice(["ring", "t-shirt"], 9).tolist()
    metric = boxes(found, names)
    weights = random.multinomial(9, np.full(9, 1 / 9), size=5)
    scores, classes = metric.resampled(weights), metric.resampled_per_class(weights)
    for index, counts in enumerate(weights):
        repeated = np.repeat(np.arange(9), counts)
        copied = boxes([found[index] for index in repeated], [names[index] for index in repeated])
        assert scores["map"][index] == pytest.approx(copied.compute()["map"], abs=1e-12)
        for name, of_class in copied.per_class().items():
            assert classes[name]["ap50"][index] == pytest.approx(of_class["ap50"], abs=1e-12)


def test_every_sample_once_is_the_score_itself() -> None:
    metric = boxes([True, False, True, False, True], ["ring", "ring", "t-shirt", "t-shirt", "9 of clubs"])
    once = np.ones((1, 5), dtype=np.int64)
    assert {name: value.tolist() for name, value in metric.resampled(once).items()} == {
        name: [value] for name, value in metric.compute().items()
    }
    for name, scores in metric.resampled_per_class(once).items():
        assert {key: float(value[0]) for key, value in scores.items()}.items() <= metric.per_class()[name].items()
    mean = share([1, 0, 0])
    assert mean.resampled(np.ones((1, 3), dtype=np.int64))["share"] == pytest.approx([mean.compute()["share"]])


def test_weights_for_another_number_of_images_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(r, 2\), not \(1, 3\)"):
        boxes([True, False]).resampled(np.ones((1, 3), dtype=np.int64))


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_images_give_no_interval(count: int) -> None:
    resamples = resample([boxes([True] * count)], [each_its_own(count)])
    assert bootstrap_intervals(resamples) == Intervals({}, {})
    assert paired_comparison(resamples, resamples) == Comparisons({}, {})
    assert resample([], []).images == 0


def test_two_images_give_an_interval_between_them() -> None:
    interval = bootstrap_intervals(resample([share([0, 1])], [each_its_own(2)])).scores["share"]
    assert (interval.low, interval.high) == (0, 1)


def test_scores_that_are_equal_everywhere_have_an_interval_without_width() -> None:
    resamples = resample([boxes([True] * 4)], [each_its_own(4)])
    interval = bootstrap_intervals(resamples).scores["map"]
    assert (interval.low, interval.high) == pytest.approx((1, 1))
    comparison = paired_comparison(resamples, resamples).scores["map"]
    assert comparison.difference == comparison.interval.low == comparison.interval.high == 0
    assert comparison.probability_better == 0.5


def test_resamples_that_do_not_define_a_score_are_left_out() -> None:
    metric = boxes([True, False, False, True], ["ring", "t-shirt", "t-shirt", "t-shirt"])
    resamples = resample([metric], [each_its_own(4)], 200)
    assert np.isnan(resamples.per_class["ring"]["ap"].resampled).any()
    ring = bootstrap_intervals(resamples).per_class["ring"]["ap"]
    assert (ring.low, ring.high) == pytest.approx((1, 1))
    assert not {"map_large", "mar_large"} & bootstrap_intervals(resamples).scores.keys()


def test_a_score_that_no_resample_defines_has_no_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    metric = share([1, 1, 1])
    monkeypatch.setattr(metric, "resampled", lambda weights: {"share": np.full(len(weights), np.nan)})
    resamples = resample([metric], [each_its_own(3)])
    assert bootstrap_intervals(resamples).scores == {}
    assert paired_comparison(resamples, resamples).scores == {}


def test_the_paired_comparison_sees_what_two_intervals_do_not() -> None:
    random = np.random.default_rng(0)
    hard = random.random(300)
    before, after = (hard < 0.50).tolist(), (hard < 0.54).tolist()
    first, second = (resample([share(values)], [each_its_own(300)]) for values in (before, after))
    assert bootstrap_intervals(second).scores["share"].low < bootstrap_intervals(first).scores["share"].high
    comparison = paired_comparison(first, second).scores["share"]
    assert comparison.difference == pytest.approx(np.mean(after) - np.mean(before))
    assert 0 < comparison.interval.low <= comparison.difference <= comparison.interval.high
    assert comparison.probability_better > 0.99


def test_the_interval_stands_around_a_score_that_resamples_overrate() -> None:
    # Eight classes with two true boxes each, and a wrong box of every class on every image.
    random = np.random.default_rng(1)
    metric = MeanAveragePrecisionMetric()
    for index in range(16):
        prediction, truth = one_box(True, str(index % 8))
        wrong = np.array([[90, 90, 120, 120]] * 8, dtype=np.float32)
        names = (*prediction.class_name, *map(str, range(8)))
        scores = random.random(9).astype(np.float32)
        metric.update(Detections(np.vstack([prediction.xyxy, wrong]), names, scores), truth)
    resamples = resample([metric], [each_its_own(16)])
    score = resamples.scores["map"]
    bias = score.resampled.mean() - score.value
    assert bias > 0.02
    interval = bootstrap_intervals(resamples).scores["map"]
    expected = np.quantile(score.resampled, [0.025, 0.975]) - bias
    assert (interval.low, interval.high) == pytest.approx(expected)


def test_an_interval_does_not_leave_the_range_of_its_score() -> None:
    drawn = np.concatenate([np.full(50, 0.0), np.linspace(0, 1, 50)])
    resamples = bootstrap.Resamples(2, 0, {"map": bootstrap.Resampled(0.02, drawn)}, {})
    assert bootstrap_intervals(resamples).scores["map"].low == 0
    resamples = bootstrap.Resamples(2, 0, {"map": bootstrap.Resampled(0.98, 1 - drawn)}, {})
    assert bootstrap_intervals(resamples).scores["map"].high == 1
    resamples = bootstrap.Resamples(2, 0, {"word_error_rate": bootstrap.Resampled(1.5, drawn + 1)}, {})
    assert 1 < bootstrap_intervals(resamples).scores["word_error_rate"].high <= 2


def test_fewer_errors_are_better() -> None:
    before, after = (resample([share(values, Errors)], [each_its_own(4)]) for values in ([1, 1, 0, 1], [0, 0, 0, 1]))
    comparison = paired_comparison(before, after).scores["word_error_rate"]
    assert comparison.difference == -0.5
    assert comparison.probability_better > 0.9


def test_each_class_is_compared() -> None:
    names = ["ring", "t-shirt"] * 10
    before = resample([boxes([True, False] * 10, names)], [each_its_own(20)], 100)
    after = resample([boxes([False, True] * 10, names)], [each_its_own(20)], 100)
    comparison = paired_comparison(before, after)
    assert comparison.per_class["ring"]["ap"].difference == pytest.approx(-1)
    assert comparison.per_class["ring"]["ap"].probability_better == 0
    assert comparison.per_class["t-shirt"]["ap50"].probability_better == 1
    assert comparison.scores["map"].difference == pytest.approx(0)


def test_resamples_of_different_splits_or_seeds_are_not_compared() -> None:
    first = resample([share([0, 1, 1])], [each_its_own(3)])
    with pytest.raises(ConfigurationError, match="3 images with seed 0 and of 4 images with seed 0 are not paired"):
        paired_comparison(first, resample([share([0, 1, 1, 0])], [each_its_own(4)]))
    with pytest.raises(ConfigurationError, match="seed 1 are not paired"):
        paired_comparison(first, resample([share([0, 1, 1])], [each_its_own(3)], seed=1))


def test_json_holds_intervals_and_comparisons() -> None:
    resamples = resample([boxes([True, False, True])], [each_its_own(3)])
    for result in (bootstrap_intervals(resamples), paired_comparison(resamples, resamples)):
        text = json.dumps(dataclasses.asdict(result), allow_nan=False)
        assert TypeAdapter(type(result)).validate_python(json.loads(text)) == result
        assert "ring" in text
    assert isinstance(paired_comparison(resamples, resamples).scores["map"], Comparison)
