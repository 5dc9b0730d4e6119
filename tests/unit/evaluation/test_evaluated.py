"""A set of every task is evaluated by the metric of each, also where a model answers nothing that can be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from florence2.codec.tasks import TASKS, AnswerKind
from florence2.config import EvaluationConfig, ModelConfig
from florence2.datasets.formats import read_dataset
from florence2.evaluation import evaluate
from florence2.evaluation.evaluate import Answers, evaluate_split
from florence2.evaluation.evaluated import evaluated_samples
from florence2.evaluation.metrics.metric import SampleMeanMetric
from florence2.evaluation.report import EvaluationReport
from florence2.evaluation.scores import SCORES, score_named
from florence2.model.base import load_base
from florence2.reports.evaluation.comparison import compare_models
from tests.builders import annotation, write_dataset

BOX = "<loc_100><loc_200><loc_300><loc_400>"
SUFFIXES = {
    "<OD>": f"cat{BOX}",
    "<DENSE_REGION_CAPTION>": f"a cat on a mat{BOX}",
    "<CAPTION_TO_PHRASE_GROUNDING>": f"a cat{BOX}",
    "<OPEN_VOCABULARY_DETECTION>": f"cat{BOX}",
    "<REGION_PROPOSAL>": BOX,
    "<OCR_WITH_REGION>": f"EXIT{BOX}<loc_300><loc_500><loc_100><loc_500>",
    "<REFERRING_EXPRESSION_SEGMENTATION>": f"{BOX}<loc_100><loc_500><sep>{BOX}<loc_5><loc_6>",
    "<REGION_TO_SEGMENTATION>": f"{BOX}<loc_100><loc_500>",
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    lines = [
        annotation(f"{index}-{copy}.png", token + "a cat" * task.takes_input, SUFFIXES.get(token, "a cat"))
        for index, (token, task) in enumerate(TASKS.items())
        for copy in range(2)
    ]
    root = write_dataset(Path(tmp_path_factory.mktemp("tasks")), {"test": lines})
    config = EvaluationConfig(max_new_tokens=8, eval_batch_size=16)
    return evaluate_split(load_base(ModelConfig()), "base", read_dataset(root).select("test"), config)


def test_each_task_has_its_scores(answers: Answers) -> None:
    scores = answers.evaluation.metrics
    headlines = {"map", "grounding_accuracy", "mean_iou", "ocr_region_f1", "vqa_accuracy", "anls", "cider"}
    assert headlines | {"character_error_rate", "word_error_rate", "bleu", "rouge_l", "chrf"} <= scores.keys()
    assert scores.keys() <= SCORES.keys()


def test_a_metric_is_made_once_for_a_split(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    """A metric may be expensive to make: one of the user's own may load a model."""
    made: list[str] = []

    def counting(metric: SampleMeanMetric[Any, Any]) -> None:
        made.append(metric.name)
        make(metric)

    make = SampleMeanMetric.__init__
    monkeypatch.setattr(SampleMeanMetric, "__init__", counting)
    judged = evaluate._judge(answers.samples, answers.predictions, ("vqa_accuracy", "anls"))
    assert made == ["vqa_accuracy", "anls"]
    assert [each.metric.name for each in judged] == made
    assert len(judged[0].rows) > 1


def test_what_was_judged_is_counted(answers: Answers) -> None:
    counts = answers.evaluation.counts
    assert counts["annotations"] == 2 * len(TASKS)
    assert counts["truths"] == 2 * 4  # the tasks with boxes but for grounding, and the proposals
    assert counts["phrases"] == counts["true_regions"] == 2
    assert "malformed_outlines" in counts


def test_a_report_shows_every_task(answers: Answers, tmp_path: Path) -> None:
    config = EvaluationConfig(examples=2 * len(TASKS))
    report = compare_models(answers, answers, {}, config)
    report.save(tmp_path)
    assert EvaluationReport.load(tmp_path) == report
    assert {example.prefix.split(">")[0] + ">" for example in report.examples} == set(TASKS)
    shown = [row for row in report.examples if row.truth is not None]
    assert {row.prefix.split(">")[0] + ">" for row in shown} == {
        token for token, task in TASKS.items() if task.answer in (AnswerKind.BOXES, AnswerKind.PROPOSALS)
    }
    assert all(score_named(name).title in report.html for name in report.after.metrics)


def test_every_row_is_worth_something_or_says_that_it_is_not(answers: Answers) -> None:
    rows = evaluated_samples(answers)
    assert {row.score for row in rows} >= {"F1", "vqa_accuracy", "mean_iou", "ocr_region_f1", "character_error_rate"}
    lines = [row.value for row in rows]
    assert any(value is not None for value in lines)
    assert all(value is None or value >= 0 for value in lines)
