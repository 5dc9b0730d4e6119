"""Writes the numbers of a run while it trains, and its scores at the end: ``history.jsonl`` and ``metrics.json``."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from florence2.evaluation import BaselineScores, EvaluationReport, Interval, comparison_table
from florence2.reports import draw_training_plots
from florence2.storage import RunFiles, write_file, writing
from florence2.training import TrainingHistory

if TYPE_CHECKING:
    from florence2.training import MetricSink

__all__ = ["RunRecord", "save_metrics"]

logger = logging.getLogger(__name__)

_PLOT_SECONDS = 60.0
"""Least time between two drawings while a run trains: they must take little time compared with an epoch."""


class RunRecord:
    """A ``MetricSink`` that writes the numbers of a training, a line for each call, and draws them at intervals.

    Args:
        run: folder of the run; the lines of an earlier part of the run are continued.
        sink: receives the numbers, too.
    """

    def __init__(self, run: Path, sink: MetricSink | None = None) -> None:
        self._run, self._sink = run, sink
        self._entries = _read(run / RunFiles.HISTORY)
        self._known = set(map(_key, self._entries))
        self._before = max((entry.get("seconds", 0.0) for entry in self._entries), default=0.0)
        self._started = self._drawn = time.monotonic()

    def __call__(self, numbers: Mapping[str, float], step: int) -> None:
        """Write the numbers of a step."""
        if self._sink is not None:
            self._sink(numbers, step)
        if "loss" not in numbers and "eval_loss" not in numbers:
            return  # the trainer's summary
        if _key({"step": step, **numbers}) not in self._known:  # a resumed run repeats some steps
            seconds = round(self._before + time.monotonic() - self._started, 3)
            self._write({"step": step, **numbers, "seconds": seconds})
        if "eval_loss" in numbers and time.monotonic() - self._drawn >= _PLOT_SECONDS:
            draw_training_plots(TrainingHistory.of(self._entries), self._run / RunFiles.PLOTS)
            self._drawn = time.monotonic()

    def history(self, course: tuple[Mapping[str, float], ...], best_epoch: int) -> TrainingHistory:
        """Return the history of the training with what only this record has: the scores of the base, and the times.

        Args:
            course: the entries of the checkpoint.
            best_epoch: number of the epoch that was kept.
        """
        written = {(entry["step"], "eval_loss" in entry): entry for entry in self._entries}
        base = [entry for entry in self._entries if not entry["step"] and "eval_loss" in entry][-1:]
        known = [
            {**entry, "seconds": written.get((entry["step"], "eval_loss" in entry), {}).get("seconds")}
            for entry in course
        ]
        return TrainingHistory.of([*base, *known], best_epoch)  # type: ignore[list-item]

    def _write(self, entry: dict[str, Any]) -> None:
        self._entries.append(entry)
        self._known.add(_key(entry))
        file = self._run / RunFiles.HISTORY
        with writing(file, "free space"), file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(entry) + "\n")


def save_metrics(report: EvaluationReport, history: TrainingHistory, run: Path) -> None:
    """Write ``metrics.json``: the scores of both models and of the baseline on the test split, and the history.

    Intervals are ``[low, high]``; null where there is none.
    """
    scores = {}
    baseline = report.after.baseline or BaselineScores()
    for name, base, tuned in comparison_table(report):
        compared, over_baseline = report.comparison.get(name), baseline.comparison.get(name)
        scores[name] = {
            "base": base,
            "base_interval": _ends(report.before.intervals.get(name)),
            "tuned": tuned,
            "tuned_interval": _ends(report.after.intervals.get(name)),
            "difference": compared.difference if compared else None,
            "difference_interval": _ends(compared.interval) if compared else None,
            "baseline": baseline.metrics.get(name),
            "over_baseline": over_baseline.difference if over_baseline else None,
            "over_baseline_interval": _ends(over_baseline.interval) if over_baseline else None,
        }
    content = {
        **report.facts,
        "version": version("florence2-finetune"),
        "scores": scores,
        "advice": report.advice,
        "counts": report.after.counts,
        "history": history.to_dict(),
    }
    write_file(run / RunFiles.METRICS, json.dumps(content, indent=2, allow_nan=False) + "\n", "free space")


def _ends(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]


def _key(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the values that two entries of the same step share."""
    return tuple(entry.get(name) for name in ("step", "loss", "eval_loss"))


def _read(file: Path) -> list[dict[str, Any]]:
    """Read the lines of an earlier part of the run; a line that a kill has cut off is skipped."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    entries = []
    for line in lines:
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(entry, dict) and "step" in entry:
            entries.append(entry)
    return entries
