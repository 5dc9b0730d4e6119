"""The model card: what a model is for, its data, its recipe, its scores, and what was not measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from florence2.config import TrainingConfig
from florence2.datasets import DatasetStatistics
from florence2.evaluation import (
    BaselineScores,
    EvaluationReport,
    Interval,
    comparison_table,
    list_field_changes,
    public_name,
    score_named,
    weakest_classes,
)
from florence2.model import Checkpoint
from florence2.reports.evaluation.verdict import verdict_on
from florence2.reports.formats import format_interval, format_score
from florence2.reports.templates import render_template

__all__ = ["render_base_card", "render_checkpoint_card", "render_model_card", "render_run_card"]

_CLASSES = 20
_WEAKEST = 5
_FEW_IMAGES = 30


def render_model_card(
    name: str,
    checkpoint: Checkpoint,
    report: EvaluationReport,
    training: TrainingConfig,
    training_statistics: DatasetStatistics,
    test_statistics: DatasetStatistics,
    tags: Mapping[str, str],
) -> str:
    """Return the card of a registered version as Markdown.

    Args:
        name: of the registered model.
        checkpoint: the fine-tuned model.
        report: its evaluation on the test split.
        training: the recipe.
        training_statistics: of the splits train and valid.
        test_statistics: of the split test.
        tags: ``provenance_tags`` of the version.
    """
    parts = training_statistics.splits | test_statistics.splits
    classes = training_statistics.overall.classes.counts
    return _render(
        name,
        checkpoint,
        report,
        training,
        tags,
        tasks=list(training_statistics.overall.tasks.counts),
        splits=[{"name": split, "images": part.images, "rows": part.rows} for split, part in parts.items()],
        classes_of="Boxes in training and validation",
        classes=[f"{label} {count}" for label, count in classes.items()],
        test_images=test_statistics.overall.images,
    )


def render_run_card(
    name: str, checkpoint: Checkpoint, report: EvaluationReport, training: TrainingConfig, dataset: str
) -> str:
    """Return the card of a run as Markdown, made from the folder of the run alone: its data may have been moved.

    Args:
        name: of the model.
        checkpoint: the fine-tuned model.
        report: its evaluation on the test split.
        training: the recipe.
        dataset: name of the data set.
    """
    return _render(
        name,
        checkpoint,
        report,
        training,
        {
            "strategy": checkpoint.strategy,
            "base_fingerprint": checkpoint.base_fingerprint,
            "base_revision": checkpoint.base_revision or "",
        },
        tasks=report.task_tokens,
        classes_of="Classes in the test split",
        classes=[] if list_field_changes(None, report.after) else list(report.after.per_class),
        test_images=report.after.counts.get("images", 0),
        dataset=dataset,
        data_fingerprint=report.facts.get("data", ""),
    )


def render_checkpoint_card(title: str, checkpoint: Checkpoint) -> str:
    """Return the card of a checkpoint whose run is not known: its scores are those of the validation split.

    Args:
        title: of the card.
        checkpoint: the fine-tuned model.
    """
    scores = "".join(f"- {name}: {value:.4g}\n" for name, value in sorted(checkpoint.metrics.items()))
    return (
        f"# {title}\n\nA Florence-2, fine-tuned from {public_name(checkpoint.base)} (content "
        f"`{checkpoint.base_fingerprint[:12]}`) by the strategy {checkpoint.strategy}; kept: epoch "
        f"{checkpoint.epoch:g}.\n\n## Results\n\nThe report of its run was not found. On the validation split, by "
        f"which its epoch was chosen:\n\n{scores or '- nothing'}\n"
        "## Limits\n\nIt was measured on no test split: its quality on other images is not known.\n"
    )


def render_base_card(title: str, base: str) -> str:
    """Return the card of a base that was exported without any training.

    Args:
        title: of the card.
        base: name of the base.
    """
    return (
        f"# {title}\n\nThe weights of {base}, written again by florence2-finetune: nothing was trained, and nothing "
        "was measured.\n\n## Limits\n\nThose of the original; see its own card.\n"
    )


def _render(
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
    score, weakest = weakest_classes(report.after, _WEAKEST)
    absent = dict.fromkeys(("base_revision", "data_fingerprint", "code_version"), "")
    values = {
        "name": name,
        "of_fields": bool(list_field_changes(None, report.after)),
        "tasks": tasks,
        "splits": splits,
        "classes_of": classes_of,
        "classes": classes[:_CLASSES],
        "more_classes": max(0, len(classes) - _CLASSES),
        "base": public_name(checkpoint.base),
        "epoch": f"{checkpoint.epoch:g}",
        "training": training,
        "results": _results(report),
        "verdict": verdict_on(report.after),
        "baseline": report.after.baseline is not None,
        "weakest": [f"{label} {format_score(value)}" for label, value in weakest],
        "weakest_by": score_named(score).title if score else "",
        "few_images": test_images < _FEW_IMAGES,
        "tags": absent | dict(tags),
        "dataset": dataset,
        "data_fingerprint": data_fingerprint,
    }
    return render_template("model_card.md", values)


def _results(report: EvaluationReport) -> list[dict[str, Any]]:
    baseline = report.after.baseline or BaselineScores()
    return [
        {
            "title": score_named(name).title,
            "before": "" if before is None else format_score(before),
            "after": "" if after is None else format_score(after),
            "interval": _interval_text(report.after.intervals.get(name)),
            "baseline": "" if name not in baseline.metrics else format_score(baseline.metrics[name]),
        }
        for name, before, after in comparison_table(report)
    ]


def _interval_text(interval: Interval | None) -> str:
    return "" if interval is None else f"{format_interval(interval)} ({interval.level:.0%})"
