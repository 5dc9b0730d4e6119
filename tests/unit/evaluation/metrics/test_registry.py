"""The list of metrics: what each task gets by default, what a name finds."""

from __future__ import annotations

import pytest

from florence2.codec.tasks import TASKS
from florence2.errors import ConfigurationError
from florence2.evaluation.metrics.metric import WORDS
from florence2.evaluation.metrics.registry import METRICS, SCORED_TASKS, metric_named, metrics_for


def test_every_task_has_metrics_and_every_metric_is_found_by_its_name() -> None:
    for task in TASKS.values():
        assert metrics_for(task)
    for name, metric in METRICS.items():
        assert metric_named(name) is metric
        assert metric.name == name
        assert metric().describe().endswith(".")


@pytest.mark.parametrize(
    ("token", "names"),
    [
        ("<OD>", ["mean_average_precision"]),
        ("<DENSE_REGION_CAPTION>", ["mean_average_precision"]),
        ("<OPEN_VOCABULARY_DETECTION>", ["mean_average_precision"]),
        ("<REGION_PROPOSAL>", ["mean_average_precision"]),
        ("<CAPTION_TO_PHRASE_GROUNDING>", ["grounding_accuracy"]),
        ("<REFERRING_EXPRESSION_SEGMENTATION>", ["mean_iou"]),
        ("<REGION_TO_SEGMENTATION>", ["mean_iou"]),
        ("<OCR_WITH_REGION>", ["ocr_region_f1"]),
        ("<OCR>", ["character_error_rate", "word_error_rate"]),
        ("<VQA>", ["vqa_accuracy"]),
        ("<DocVQA>", ["vqa_accuracy", "anls"]),
        ("<MORE_DETAILED_CAPTION>", ["cider", "bleu", "rouge_l", "chrf"]),
        ("<REGION_TO_DESCRIPTION>", ["cider", "bleu", "rouge_l", "chrf"]),
    ],
)
def test_each_task_has_the_metrics_of_its_field(token: str, names: list[str]) -> None:
    assert [metric.name for metric in metrics_for(TASKS[token])] == names


def test_named_metrics_evaluate_the_tasks_whose_answers_they_read() -> None:
    names = ("mean_average_precision", "grounding_accuracy", "mean_iou", "relaxed_accuracy")
    chosen = {token: [metric.name for metric in metrics_for(task, names)] for token, task in TASKS.items()}
    assert chosen["<OD>"] == ["mean_average_precision", "grounding_accuracy"]
    assert chosen["<REGION_PROPOSAL>"] == ["mean_average_precision"]
    assert chosen["<REGION_TO_SEGMENTATION>"] == ["mean_iou"]
    assert chosen["<OCR_WITH_REGION>"] == []
    assert chosen["<VQA>"] == chosen["<CAPTION>"] == ["relaxed_accuracy"]


def test_the_message_for_an_unknown_metric_names_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'vqa_accuracy'"):
        metric_named("vqa_acuracy")
    with pytest.raises(ConfigurationError, match="known: mean_average_precision, "):
        metric_named("zzz")


def test_a_default_metric_reads_the_answers_of_its_tasks() -> None:
    for metric in METRICS.values():
        kinds = {TASKS[key].answer if isinstance(key, str) and key in TASKS else key for key in metric.default_for}
        assert kinds <= set(metric.answer_kinds), metric.name


def test_a_scored_task_has_the_metrics_of_words_that_name_it() -> None:
    scored = [metric for metrics in SCORED_TASKS.values() for metric in metrics]
    assert set(scored) == {metric for metric in METRICS.values() if metric.scored_task}
    assert all(metric.scored_task == task for task, metrics in SCORED_TASKS.items() for metric in metrics)
    assert all(metric.answer_kinds == WORDS for metric in scored)


def test_the_first_metric_of_a_scored_task_gives_the_value_of_a_row() -> None:
    assert SCORED_TASKS["ocr"][0] is METRICS["character_error_rate"]
    assert SCORED_TASKS["caption"][0] is METRICS["cider"]
