"""The first sentence of a report: a model that is worth nothing is named so, whatever it was trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from florence2.codec.answers import parse_detections
from florence2.codec.detections import Detections
from florence2.codec.tasks import TASKS, AnswerKind
from florence2.config import EvaluationConfig
from florence2.datasets.manifest import DatasetManifest
from florence2.evaluation.baselines.baseline import evaluate_baseline
from florence2.evaluation.baselines.scores import BaselineScores
from florence2.evaluation.bootstrap import Comparison, Interval
from florence2.evaluation.evaluate import evaluate_predictions
from florence2.evaluation.evaluated import describe
from florence2.evaluation.report import ModelEvaluation
from florence2.inference.generation import Prediction
from florence2.model.processing import Sample, samples_of
from florence2.reports.evaluation.verdict import verdict_on
from tests.builders import manifest

CONFIG = EvaluationConfig(resamples=200)
WORTHLESS = "This model is worth nothing: answers without seeing the image score "

Random = np.random.Generator
_KINDS = ("dog", "cat", "red car", "tall tree")
_DOING = ("runs over the grass", "is in front of a house", "has a small bird on it")


def detection(random: Random) -> tuple[str, str]:
    bins = np.concatenate([random.integers(0, 400, 2), random.integers(500, 999, 2)])
    return "<OD>", _KINDS[random.integers(2)] + "".join(f"<loc_{number}>" for number in bins)


def question(random: Random) -> tuple[str, str]:
    if random.random() < 0.7:
        return f"<VQA>is there finding {random.integers(3)}?", "no" if random.random() < 0.6 else "yes"
    return "<VQA>which organ is shown?", str(random.choice(["lung", "heart", "liver"]))


def caption(random: Random) -> tuple[str, str]:
    return "<CAPTION>", f"a {_KINDS[random.integers(4)]} that {_DOING[random.integers(3)]}"


def split(make: Callable[[Random], tuple[str, str]], count: int, seed: int) -> DatasetManifest:
    random = np.random.default_rng(seed)
    pairs = [make(random) for _ in range(count)]
    return manifest(
        *({"prefix": p, "task": p[: p.index(">") + 1], "suffix": a, "width": 640, "height": 480} for p, a in pairs)
    )


def evaluated(train: DatasetManifest, test: DatasetManifest, answers: Sequence[str]) -> ModelEvaluation:
    samples = samples_of(test)
    predictions = [_prediction(sample, answer) for sample, answer in zip(samples, answers, strict=True)]
    model = evaluate_predictions("model", test, samples, predictions, CONFIG)
    return describe(model, CONFIG, evaluate_baseline(train, test, CONFIG))[0]


def _prediction(sample: Sample, answer: str) -> Prediction:
    if TASKS.task_of(sample.prefix).answer is not AnswerKind.BOXES:
        return Prediction(answer, None)
    boxes = parse_detections(answer, sample.resolution_wh)
    return Prediction(answer, Detections(boxes.xyxy, boxes.class_name, np.full(len(boxes), 0.9, dtype=np.float32)))


def shuffled_answers(train: DatasetManifest, test: DatasetManifest, random: Random) -> list[str]:
    """Answers that have nothing to do with the images, as often as in the training split."""
    known = train.table.groupby("prefix")["suffix"].apply(list).to_dict()
    every = list(train.table["suffix"])
    return [str(random.choice(known.get(prefix, every))) for prefix in test.table["prefix"]]


def shuffled_images(train: DatasetManifest, test: DatasetManifest, random: Random) -> list[str]:
    """Right answers to the same prompt, each to another image."""
    table = test.table
    groups = table.groupby("prefix")["suffix"].apply(lambda each: list(random.permutation(list(each)))).to_dict()
    return [groups[prefix].pop() for prefix in table["prefix"]]


def one_step(train: DatasetManifest, test: DatasetManifest, random: Random) -> list[str]:
    """The most frequent answer of the training split, whatever is requested."""
    return [str(train.table["suffix"].mode()[0])] * len(test)


@pytest.mark.parametrize("trained_on", [shuffled_answers, shuffled_images, one_step])
@pytest.mark.parametrize("make", [detection, question, caption])
def test_a_model_that_learnt_nothing_is_worth_nothing(make: Any, trained_on: Any) -> None:
    train, test = split(make, 120, seed=0), split(make, 80, seed=1)
    verdict = verdict_on(evaluated(train, test, trained_on(train, test, np.random.default_rng(2))))
    assert verdict is not None
    assert verdict.text.startswith(WORTHLESS)
    assert verdict.tone == "bad"


@pytest.mark.parametrize("make", [detection, question, caption])
def test_a_model_that_sees_is_worth_something(make: Any) -> None:
    train, test = split(make, 120, seed=0), split(make, 80, seed=1)
    random = np.random.default_rng(3)
    answers = [right if random.random() < 0.8 else "" for right in test.table["suffix"]]
    verdict = verdict_on(evaluated(train, test, answers))
    assert verdict is not None
    assert verdict.text.startswith("This model is better than answers without seeing the image: ")
    assert verdict.tone == "good"


def test_a_model_that_answers_like_the_baseline_is_worth_nothing() -> None:
    train, test = split(question, 120, seed=0), split(question, 80, seed=1)
    guesses = [sample.text for sample in evaluate_baseline(train, test, CONFIG).samples]
    verdict = verdict_on(evaluated(train, test, guesses))
    assert verdict is not None
    assert "score as well (VQA accuracy" in verdict.text
    assert "difference +0.000, 95% interval 0.000 to 0.000" in verdict.text


def both(**scores: tuple[float, float, float, float]) -> ModelEvaluation:
    compared = {name: Comparison(m - b, Interval(low, high), 0.5) for name, (m, b, low, high) in scores.items()}
    guessed = BaselineScores({name: values[1] for name, values in scores.items()}, compared)
    return ModelEvaluation("m", {name: values[0] for name, values in scores.items()}, baseline=guessed)


def test_of_several_tasks_the_failure_is_named_first() -> None:
    verdict = verdict_on(both(map50=(0.5, 0.1, 0.3, 0.5), vqa_accuracy=(0.31, 0.3, -0.02, 0.04)))
    assert verdict is not None
    assert verdict.tone == "bad"
    assert verdict.text == (
        "In VQA accuracy this model is worth nothing: answers without seeing the image score as well (VQA accuracy "
        "0.310 against 0.300, difference +0.010, 95% interval \N{MINUS SIGN}0.020 to 0.040). It is better than answers "
        "without seeing the image: mAP50 0.500 against 0.100, difference +0.400, 95% interval 0.300 to 0.500."
    )


def test_without_intervals_nothing_is_claimed() -> None:
    verdict = verdict_on(ModelEvaluation("m", {"map50": 0.5}, baseline=BaselineScores({"map50": 0.1})))
    assert verdict is not None
    assert verdict.tone == "soft"
    assert "It is not known whether" in verdict.text
    assert verdict_on(ModelEvaluation("m", {"map50": 0.5})) is None
