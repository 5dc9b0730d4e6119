"""The baseline of a split: the metrics of a model, fitted on train alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from florence2.codec.tasks import TASKS
from florence2.config import EvaluationConfig
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import DatasetError
from florence2.evaluation.baselines.baseline import BASELINE, Baseline, evaluate_baseline
from florence2.evaluation.bootstrap import paired_comparison
from florence2.evaluation.evaluated import describe
from tests.builders import manifest

CONFIG = EvaluationConfig(resamples=50)


def box(name: str, *bins: int) -> str:
    return name + "".join(f"<loc_{number}>" for number in bins)


def row(prefix: str, suffix: str, **values: Any) -> dict[str, Any]:
    token = prefix[: prefix.index(">") + 1]
    return {"prefix": prefix, "task": token, "suffix": suffix} | values


def large_objects(count: int, seed: int) -> DatasetManifest:
    """Photographs of one large object, a little off the middle, of varying sizes."""
    random = np.random.default_rng(seed)
    noise = random.integers(-40, 40, (count, 4))
    return manifest(
        *(
            row("<OD>", box("raccoon", *(np.array([200, 150, 800, 850]) + shift)), width=100 + index, height=80)
            for index, shift in enumerate(noise)
        )
    )


def test_constant_boxes_are_right_where_each_image_shows_one_large_object() -> None:
    evaluated = evaluate_baseline(large_objects(100, 0), large_objects(40, 1), CONFIG)
    scores = evaluated.evaluation.metrics
    assert scores["map50"] > 0.95
    assert scores["map"] > 0.5
    assert evaluated.evaluation.model == BASELINE


def test_always_no_is_worth_the_share_of_no() -> None:
    """Issue 15: radiology questions, where the model was no better than always "no"."""
    train = manifest(*(row(f"<VQA>is there finding {i}?", "no" if i % 10 < 6 else "yes") for i in range(50)))
    test = manifest(*(row(f"<VQA>is there sign {i}?", "no" if i % 10 < 3 else "other") for i in range(50)))
    assert evaluate_baseline(train, test, CONFIG).evaluation.metrics == {"vqa_accuracy": pytest.approx(0.3)}


def test_a_set_of_mixed_tasks_has_the_scores_of_each() -> None:
    rows = [
        row("<OD>", box("cat", 0, 0, 500, 500)),
        row("<VQA>is it?", "no"),
        row("<CAPTION>", "a cat"),
        row("<OCR>", "A1"),
        row("<REGION_PROPOSAL>", box("", 0, 0, 500, 500)),
        row("<OCR_WITH_REGION>", box("A1", 0, 0, 500, 0, 500, 500, 0, 500)),
        row("<CAPTION_TO_PHRASE_GROUNDING>a cat", box("a cat", 0, 0, 500, 500)),
    ]
    split = manifest(*(rows * 6))
    scores = evaluate_baseline(split, split, CONFIG).evaluation.metrics
    perfect = ("map50", "vqa_accuracy", "ocr_region_f1", "grounding_accuracy")
    assert [scores[name] for name in perfect] == pytest.approx([1.0] * len(perfect))
    assert scores["character_error_rate"] == 0.0


@pytest.mark.parametrize("token", list(TASKS))
def test_where_train_has_no_sample_of_a_task_the_answer_is_empty(token: str) -> None:
    text = "thing" if TASKS[token].takes_input else ""
    baseline = Baseline.fit(manifest(), CONFIG)
    prediction = baseline.answer(TASKS[token], text, (20, 10))
    assert prediction.text == ""
    assert prediction.detections is None or len(prediction.detections) == 0


def test_an_empty_train_split_gives_scores_of_nothing_found() -> None:
    test = manifest(row("<OD>", box("cat", 0, 0, 500, 500)), row("<VQA>is it?", "no"))
    scores = evaluate_baseline(manifest(), test, CONFIG).evaluation.metrics
    assert (scores["map50"], scores["vqa_accuracy"]) == (0.0, 0.0)


def test_an_empty_test_split_is_an_error() -> None:
    with pytest.raises(DatasetError, match="is empty"):
        evaluate_baseline(large_objects(3, 0), manifest(), CONFIG)


def test_a_row_whose_image_cannot_be_read_is_left_out_as_it_is_for_a_model() -> None:
    test = manifest(row("<VQA>is it?", "no"), row("<VQA>is it?", "yes", image_error="is cut"))
    evaluated = evaluate_baseline(test, test, CONFIG)
    assert [sample.target for sample in evaluated.samples] == ["no"]
    assert evaluated.evaluation.counts["rows_without_a_readable_image"] == 1


def test_a_model_is_compared_with_the_baseline_on_the_same_resamples() -> None:
    train, test = large_objects(50, 0), large_objects(20, 1)
    _, first = describe(evaluate_baseline(train, test, CONFIG), CONFIG)
    _, second = describe(evaluate_baseline(manifest(), test, CONFIG), CONFIG)
    comparison = paired_comparison(first, second).scores["map50"]
    assert comparison.interval.high < 0


ANSWERS: dict[str, Sequence[str]] = {
    "<VQA>is it?": ("no", "yes"),
    "<OD>": (box("cat", 0, 0, 500, 500), box("dog", 100, 0, 900, 500), ""),
    "<CAPTION>": ("a cat", "a dog on the grass"),
}


@st.composite
def samples(draw: st.DrawFn) -> DatasetManifest:
    chosen = draw(st.lists(st.sampled_from([(p, a) for p, answers in ANSWERS.items() for a in answers]), max_size=8))
    return manifest(*(row(prefix, answer) for prefix, answer in chosen), row("<VQA>is it?", "no"))


@settings(max_examples=25, deadline=None)
@given(train=samples(), test=samples(), data=st.data())
def test_guesses_do_not_depend_on_the_answers_of_the_test_split(
    train: DatasetManifest, test: DatasetManifest, data: st.DataObject
) -> None:
    other = [data.draw(st.sampled_from(ANSWERS[prefix])) for prefix in test.table["prefix"]]
    changed = manifest(*(row(p, answer) for p, answer in zip(test.table["prefix"], other, strict=True)))
    config = EvaluationConfig(resamples=0)
    first, second = (evaluate_baseline(train, split, config).samples for split in (test, changed))
    assert [each.text for each in first] == [each.text for each in second]
    assert [each.prediction.detections for each in first] == [each.prediction.detections for each in second]
