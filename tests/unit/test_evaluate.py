"""Evaluating a model on a split: every task by its metric, and two models side by side."""

from __future__ import annotations

from collections import Counter

import pytest

from florence2.config import EvaluationConfig, ModelConfig
from florence2.data.formats import read_dataset
from florence2.data.manifest import DatasetManifest
from florence2.errors import ConfigurationError, DatasetError
from florence2.evaluation.evaluate import Answers, compare, evaluate_split
from florence2.model.base import Florence2, load_base
from tests.builders import write_scenes

SHORT = EvaluationConfig(max_new_tokens=24, eval_batch_size=8, examples=4)


@pytest.fixture(scope="module")
def nano() -> Florence2:
    return load_base(ModelConfig())


@pytest.fixture(scope="module")
def test_split(tmp_path_factory: pytest.TempPathFactory) -> DatasetManifest:
    return read_dataset(write_scenes(tmp_path_factory.mktemp("scenes"), test=6)).select("test")


@pytest.fixture(scope="module")
def answers(nano: Florence2, test_split: DatasetManifest) -> Answers:
    return evaluate_split(nano, "base", test_split, SHORT)


def test_a_set_of_mixed_tasks_gets_the_metric_of_each(answers: Answers) -> None:
    assert {"map", "map50", "vqa_accuracy"} <= set(answers.evaluation.metrics)
    assert set(answers.evaluation.per_class) == {"red tile", "blue tile"}
    assert answers.evaluation.counts["images"] == 6
    assert answers.evaluation.counts["annotations"] == 12
    assert answers.evaluation.counts["truths"] == 6


def test_a_metric_named_twice_counts_once(nano: Florence2, test_split: DatasetManifest, answers: Answers) -> None:
    config = SHORT.model_copy(update={"metrics": ("mean_average_precision", "vqa_accuracy") * 2})
    assert evaluate_split(nano, "base", test_split, config).evaluation.counts == answers.evaluation.counts


def test_named_metrics_are_computed_and_no_others(nano: Florence2, test_split: DatasetManifest) -> None:
    config = SHORT.model_copy(update={"metrics": ("anls",)})
    assert set(evaluate_split(nano, "base", test_split, config).evaluation.metrics) == {"anls"}


def test_a_metric_that_judges_no_task_of_the_split_is_named(nano: Florence2, test_split: DatasetManifest) -> None:
    questions = test_split.drop(test_split.table.index[test_split.table["task"] == "<OD>"])
    config = SHORT.model_copy(update={"metrics": ("mean_average_precision",)})
    with pytest.raises(ConfigurationError, match=r"none of mean_average_precision can judge <VQA>"):
        evaluate_split(nano, "base", questions, config)


def test_an_empty_split_is_named(nano: Florence2, test_split: DatasetManifest) -> None:
    with pytest.raises(DatasetError, match="the split to evaluate on is empty"):
        evaluate_split(nano, "base", test_split.select("train"), SHORT)


def test_the_examples_of_a_report_stand_for_every_task(answers: Answers) -> None:
    report = compare(answers, answers, {"base": "builtin:nano"}, SHORT)
    assert Counter(example.prefix.split(">")[0] for example in report.examples) == {"<OD": 2, "<VQA": 2}
    assert all(example.image.startswith("test/") for example in report.examples)
    assert report.before == report.after == answers.evaluation


def test_more_examples_than_rows_shows_every_row_once(answers: Answers) -> None:
    report = compare(answers, answers, {}, SHORT.model_copy(update={"examples": 99}))
    assert len(report.examples) == len({(example.image, example.prefix) for example in report.examples}) == 12
