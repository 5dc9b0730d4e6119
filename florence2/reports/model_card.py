"""The model card: what a version is for, from what it was made, what it reached and what nobody knows of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from florence2.codec import split_prefix
from florence2.config import TrainingConfig
from florence2.datasets import DatasetManifest, DatasetStatistics, compute_statistics
from florence2.evaluation import EvaluationReport, Interval, comparison_table, public_name, score_named
from florence2.model import Checkpoint
from florence2.reports.templates import render_template

__all__ = ["render_model_card", "render_run_card", "tasks_of"]

_CLASSES = 20
_WEAKEST = 5
_FEW_IMAGES = 30


def render_model_card(
    name: str,
    checkpoint: Checkpoint,
    report: EvaluationReport,
    training: TrainingConfig,
    training_statistics: DatasetStatistics,
    test_data: DatasetManifest,
    tags: Mapping[str, str],
) -> str:
    """Return the card of a registered version as Markdown.

    Args:
        name: of the registered model.
        checkpoint: the fine-tuned model.
        report: its evaluation on the test split.
        training: the recipe.
        training_statistics: of the splits train and valid.
        test_data: the split test.
        tags: ``provenance_tags`` of the version.
    """
    test = compute_statistics(test_data)
    parts = training_statistics.splits | test.splits
    classes = training_statistics.overall.classes.counts
    return _rendered(
        name,
        checkpoint,
        report,
        training,
        tags,
        tasks=list(training_statistics.overall.tasks.counts),
        splits=[{"name": split, "images": part.images, "rows": part.rows} for split, part in parts.items()],
        classes_of="Boxes in training and validation",
        classes=[f"{label} {count}" for label, count in classes.items()],
        test_images=test.overall.images,
    )


def render_run_card(
    name: str, checkpoint: Checkpoint, report: EvaluationReport, training: TrainingConfig, dataset: str
) -> str:
    """Return the card of a run as Markdown: what its folder tells, for its data may lie elsewhere by now.

    Args:
        name: of the model.
        checkpoint: the fine-tuned model.
        report: its evaluation on the test split.
        training: the recipe.
        dataset: what the data set is called.
    """
    return _rendered(
        name,
        checkpoint,
        report,
        training,
        {
            "strategy": checkpoint.strategy,
            "base_fingerprint": checkpoint.base_fingerprint,
            "base_revision": checkpoint.base_revision or "",
        },
        tasks=tasks_of(report),
        classes_of="Classes in the test split",
        classes=list(report.after.per_class),
        test_images=report.after.counts.get("images", 0),
        dataset=dataset,
        data_fingerprint=report.facts.get("data", ""),
    )


def tasks_of(report: EvaluationReport) -> list[str]:
    """Return the task tokens of a report: its examples are of every task of the split."""
    return list(dict.fromkeys(split_prefix(example.prefix)[0].token for example in report.examples))


def _rendered(
    name: str,
    checkpoint: Checkpoint,
    report: EvaluationReport,
    training: TrainingConfig,
    tags: Mapping[str, str],
    *,
    tasks: Sequence[str],
    classes_of: str,
    classes: Sequence[str],
    test_images: int,
    splits: Sequence[Mapping[str, Any]] = (),
    dataset: str = "",
    data_fingerprint: str = "",
) -> str:
    score, weakest = _weakest(report)
    absent = dict.fromkeys(("base_revision", "data_fingerprint", "code_version"), "")
    values = {
        "name": name,
        "tasks": tasks,
        "splits": splits,
        "classes_of": classes_of,
        "classes": classes[:_CLASSES],
        "more_classes": max(0, len(classes) - _CLASSES),
        "base": public_name(checkpoint.base),
        "epoch": f"{checkpoint.epoch:g}",
        "training": training,
        "results": _results(report),
        "weakest": weakest,
        "weakest_by": score,
        "few_images": test_images < _FEW_IMAGES,
        "tags": absent | dict(tags),
        "dataset": dataset,
        "data_fingerprint": data_fingerprint,
    }
    return render_template("model_card.md", values)


def _results(report: EvaluationReport) -> list[dict[str, Any]]:
    return [
        {
            "title": score_named(name).title,
            "before": _number(before),
            "after": _number(after),
            "interval": _ends(report.after.intervals.get(name)),
        }
        for name, before, after in comparison_table(report)
    ]


def _weakest(report: EvaluationReport) -> tuple[str, list[str]]:
    """Return the score by which classes are ordered, and the weakest of them with their values."""
    scores = [score for values in report.after.per_class.values() for score in values]
    if not scores:
        return "", []
    score = scores[0]
    values = {label: found[score] for label, found in report.after.per_class.items() if score in found}
    order = sorted(values, key=lambda label: (values[label], label))
    if not score_named(score).higher_is_better:
        order.reverse()
    return score_named(score).title, [f"{label} {_number(values[label])}" for label in order[:_WEAKEST]]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _ends(interval: Interval | None) -> str:
    return "" if interval is None else f"{interval.low:.3f} to {interval.high:.3f} ({interval.level:.0%})"
