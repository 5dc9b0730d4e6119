"""What every metric promises: order decides nothing, resamples are splits of their own, every score has its row."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from florence2.codec.detections import Detections
from florence2.codec.regions import parse_polygons, parse_quads
from florence2.errors import AnswerError
from florence2.evaluation.metrics.coco import SCORE_NAMES
from florence2.evaluation.metrics.metric import WORDS as ANSWERS_IN_WORDS
from florence2.evaluation.metrics.metric import Metric
from florence2.evaluation.metrics.registry import METRICS
from florence2.evaluation.scores import SCORES
from tests.builders import detections

BIG = (1000, 1000)
WORDS = {name for name, metric in METRICS.items() if metric.answer_kinds == ANSWERS_IN_WORDS}

_numbers = st.lists(st.integers(0, 9), min_size=16, max_size=16)
_texts = st.lists(st.sampled_from(["a", "red", "ring", "Two", "2", "1.05", "on the table", "."]), max_size=7).map(
    " ".join
)


def _boxes(numbers: list[int]) -> Detections:
    rows = np.array(numbers, dtype=np.float32).reshape(4, 4)[: numbers[0] % 4]
    boxes = [(f"thing {int(row[0]) % 2}", *row[:2], *(row[:2] + row[2:] + 1)) for row in rows]
    found = detections(*boxes) if boxes else Detections.empty()
    return Detections(found.xyxy, found.class_name, np.linspace(0.9, 0.1, len(boxes), dtype=np.float32))


def _regions(numbers: list[int]) -> str:
    locations = [f"<loc_{number * 100}>" for number in numbers]
    return "".join(
        f"word {numbers[0] % 2}" + "".join(locations[start : start + 8]) for start in (0, 8)[: numbers[1] % 3]
    )


SAMPLES: dict[str, st.SearchStrategy[Any]] = dict.fromkeys(sorted(WORDS), _texts) | {
    "mean_average_precision": _numbers.map(_boxes),
    "grounding_accuracy": _numbers.map(_boxes),
    "ocr_region_f1": _numbers.map(lambda numbers: parse_quads(_regions(numbers), BIG)),
    "json_fields": st.dictionaries(st.sampled_from("abc"), _texts, max_size=3).map(json.dumps),
    "mean_iou": _numbers.map(lambda numbers: parse_polygons(_regions(numbers), BIG)),
}
RESAMPLED = sorted(METRICS.keys() - {"mean_average_precision"})
"""Resampling mAP has tests of its own."""


def updated(name: str, pairs: list[tuple[Any, Any]]) -> Metric[Any, Any]:
    metric = METRICS[name]()
    for prediction, target in pairs:
        metric.update(prediction, target)
    return metric


def pairs_of(name: str) -> st.SearchStrategy[list[tuple[Any, Any]]]:
    return st.lists(st.tuples(SAMPLES[name], SAMPLES[name]), min_size=1, max_size=6)


def test_every_metric_has_samples_for_these_tests() -> None:
    assert SAMPLES.keys() == METRICS.keys()


def test_every_score_has_a_row_that_a_person_understands() -> None:
    others = {"ocr_region_localisation_f1", "json_field_f1", "json_field_anls", "json_tree_edit"}
    scores = {*METRICS, *SCORE_NAMES, *others} - {"mean_average_precision", "json_fields"}
    assert scores == SCORES.keys()
    assert all(score.title != name and score.meaning for name, score in SCORES.items())


@pytest.mark.parametrize("name", sorted(METRICS))
def test_a_metric_computes_the_scores_that_it_declares(name: str) -> None:
    metric = updated(name, [_perfect(name)] * 2)
    computed = metric.compute()
    declared = {score.name: score for score in metric.declared_scores()}
    assert computed.keys() <= declared.keys()
    assert {score.name for score in metric.declared_scores() if score.headline} <= computed.keys()
    # A rate of errors is 0 where the answers equal the truth.
    assert all(declared[score].higher_is_better or value == 0 for score, value in computed.items())
    assert all(declared[score].higher_is_better == ("error" not in score) for score in computed)


def test_reports_show_headlines_first() -> None:
    headlines = [score.headline for score in SCORES.values()]
    assert headlines == sorted(headlines, reverse=True)
    assert list(SCORES)[:3] == ["map50", "map", "vqa_accuracy"]


@pytest.mark.parametrize("name", sorted(METRICS))
@given(data=st.data(), shuffle=st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None)
def test_order_decides_nothing(name: str, data: st.DataObject, shuffle: Any) -> None:
    pairs = data.draw(pairs_of(name))
    metric = updated(name, pairs)
    values = metric.values()
    order = list(range(len(pairs)))
    shuffle.shuffle(order)
    again = updated(name, [pairs[index] for index in order])
    assert again.compute() == metric.compute()
    assert again.counts() == metric.counts()
    if values:
        np.testing.assert_array_equal(again.values(), [values[index] for index in order])


@pytest.mark.parametrize("name", RESAMPLED)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_a_resample_of_every_sample_once_is_the_split(name: str, data: st.DataObject) -> None:
    pairs = data.draw(pairs_of(name))
    metric = updated(name, pairs)
    assert len(metric.values()) == len(pairs)
    scores = metric.resampled(np.ones((2, len(pairs)), dtype=np.int64))
    computed = metric.compute()
    assert computed.keys() <= scores.keys()
    for score, values in scores.items():
        assert values.dtype == np.float64
        np.testing.assert_allclose(values, [computed.get(score, math.nan)] * 2, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", sorted(set(RESAMPLED) - {"cider"}))
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_a_resample_is_evaluated_as_a_split_of_its_own(name: str, data: st.DataObject) -> None:
    pairs = data.draw(pairs_of(name))
    row = data.draw(st.lists(st.integers(0, 3), min_size=len(pairs), max_size=len(pairs)))
    drawn = [pair for pair, times in zip(pairs, row, strict=True) for _ in range(times)]
    expected = updated(name, drawn).compute()
    for score, values in updated(name, pairs).resampled(np.array([row], dtype=np.int64)).items():
        np.testing.assert_allclose(values, [expected.get(score, math.nan)], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", sorted(METRICS))
def test_without_samples_there_is_no_score_and_reset_leaves_none(name: str) -> None:
    metric = METRICS[name]()
    for _ in range(2):
        assert metric.compute() == {}
        assert metric.values() == ()
        for values in metric.resampled(np.ones((3, 0), dtype=np.int64)).values():
            np.testing.assert_array_equal(values, [math.nan] * 3)
        metric.update(*_perfect(name))
        assert any(metric.counts().values())
        metric.reset()
        assert not any(metric.counts().values())


@pytest.mark.parametrize("name", sorted(WORDS))
def test_special_tokens_left_in_an_answer_are_refused(name: str) -> None:
    metric = METRICS[name]()
    with pytest.raises(AnswerError, match="special tokens"):
        metric.update("<s>a red ring</s>", "a red ring")
    with pytest.raises(AnswerError, match="without a reference"):
        metric.update("a red ring", [])
    assert metric.counts() == {"answers": 0}


def _perfect(name: str) -> tuple[Any, Any]:
    examples: dict[str, Callable[[], Any]] = {
        "json_fields": lambda: '{"shop": "ACME"}',
        "mean_average_precision": lambda: _boxes(list(range(3, 19))),
        "grounding_accuracy": lambda: _boxes(list(range(3, 19))),
        "ocr_region_f1": lambda: parse_quads("word" + "".join(f"<loc_{n}>" for n in (1, 1, 9, 1, 9, 9, 1, 9)), BIG),
        "mean_iou": lambda: parse_polygons("".join(f"<loc_{n}>" for n in (1, 1, 9, 1, 9, 9, 1, 9)), BIG),
    }
    example = examples.get(name, lambda: "a red ring")()
    return example, example
