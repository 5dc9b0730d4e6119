"""Plots of a training: each score by epoch, as an image of its own."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from florence2.evaluation import score_named
from florence2.storage import write_file, writing
from florence2.training import RateChoice, TrainingHistory

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_learning_rates", "draw_training_plots"]

_SIZE_INCHES, _DPI = (7.0, 4.2), 130
_VALIDATION, _TRAINING, _BASE, _BEST = "#1f6feb", "#8b949e", "#57606a", "#1a7f37"


def draw_training_plots(history: TrainingHistory, folder: Path) -> list[Path]:
    """Draw a PNG of each score by epoch: the base as a line, the best epoch marked.

    Args:
        history: of a training, which may still be running.
        folder: for ``loss.png``, ``learning_rate.png`` and a file for each measured score; created if it is missing.

    Returns:
        The files; none before the first epoch has ended.

    Raises:
        ConfigurationError: the files cannot be written.
    """
    if not history.epochs:
        return []
    losses = {"validation": history.series("validation_loss"), "training": history.series("loss")}
    files = [
        _draw(folder / "loss.png", "Loss", "cross-entropy per token", losses, history, "validation_loss"),
        _draw_learning_rate(folder / "learning_rate.png", history),
    ]
    for name in history.measured:
        score = score_named(name)
        title = score.title if score.title == name else f"{score.title} ({name})"
        values = {"validation": history.series(name)}
        files.append(_draw(folder / f"{name}.png", title, score.meaning or name, values, history, name))
    return files


def draw_learning_rates(choice: RateChoice, folder: Path) -> Path | None:
    """Draw ``learning_rates.png``: the validation loss after each short training by its learning rate.

    Returns:
        The file; None where no learning rate was searched for.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    losses = {trial.learning_rate: trial.loss for trial in choice.trials if trial.loss is not None}
    if not losses:
        return None
    figure, axes = _axes(
        f"Validation loss after {choice.steps} steps", "cross-entropy per token", horizontal="learning rate"
    )
    axes.plot(list(losses), list(losses.values()), color=_VALIDATION, marker="o", markersize=3.5)
    for trial in choice.trials:
        if trial.loss is None:
            axes.axvline(trial.learning_rate, color=_BASE, linestyle=":", label=f"{trial.learning_rate:g}: diverged")
    if choice.learning_rate in losses:
        label = f"chosen: {choice.learning_rate:g}"
        best = losses[choice.learning_rate]
        axes.plot([choice.learning_rate], [best], color=_BEST, marker="*", markersize=15, linestyle="", label=label)
    axes.set_xscale("log", base=2)
    axes.set_xticks([trial.learning_rate for trial in choice.trials])
    axes.set_xticklabels([f"{trial.learning_rate:g}" for trial in choice.trials])
    axes.legend(frameon=False)
    return _save(figure, folder / "learning_rates.png")


def _draw(
    file: Path, title: str, unit: str, lines: Mapping[str, Mapping[int, float]], history: TrainingHistory, name: str
) -> Path:
    figure, axes = _axes(f"{title} by epoch", unit)
    for (label, values), colour in zip(lines.items(), (_VALIDATION, _TRAINING), strict=False):
        axes.plot(list(values), list(values.values()), color=colour, marker="o", markersize=3.5, label=label)
    base = history.base_value(name)
    if base is not None:
        axes.axhline(base, color=_BASE, linestyle="--", linewidth=1.2, label=f"base, validation: {base:.4g}")
    best = history.series(name).get(history.best_epoch)
    if best is not None:
        label = f"kept, epoch {history.best_epoch}: {best:.4g}"
        axes.plot([history.best_epoch], [best], color=_BEST, marker="*", markersize=15, linestyle="", label=label)
    _whole_epochs(axes, history)
    if name in history.measured:
        highest = max([base or 0.0, *history.series(name).values()])
        axes.set_ylim(0, 1.1 * highest or 1)  # a score of a task is never below 0
    axes.legend(frameon=False)
    return _save(figure, file)


def _draw_learning_rate(file: Path, history: TrainingHistory) -> Path:
    figure, axes = _axes("Learning rate", "learning rate")
    axes.plot([step.epoch for step in history.steps], [step.learning_rate for step in history.steps], color=_VALIDATION)
    return _save(figure, file)


def _axes(title: str, vertical: str, *, horizontal: str = "epoch") -> tuple[Figure, Axes]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE_INCHES, dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", fontweight="bold")
    axes.set_xlabel(horizontal)
    axes.set_ylabel(vertical)
    axes.grid(color="#d0d7de", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _whole_epochs(axes: Axes, history: TrainingHistory) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlim(history.epochs[0].epoch - 0.5, history.epochs[-1].epoch + 0.5)


def _save(figure: Figure, file: Path) -> Path:
    image = io.BytesIO()
    figure.savefig(image, format="png")
    with writing(file.parent, "free space"):
        file.parent.mkdir(parents=True, exist_ok=True)
    write_file(file, image.getvalue(), "free space")
    return file
