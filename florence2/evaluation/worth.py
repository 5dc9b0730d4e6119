"""What a model is worth: whether it is better than answers without seeing the image, beyond chance."""

from __future__ import annotations

from dataclasses import dataclass

from florence2.evaluation.changes import ScoreChange, list_score_changes
from florence2.evaluation.metrics.registry import METRICS
from florence2.evaluation.report import ModelEvaluation

__all__ = ["Worth", "worth_of"]


@dataclass(frozen=True)
class Worth:
    """The scores that decide what a model is worth: the first headline score of each metric.

    Attributes:
        better: those in which the model is better than the baseline, beyond chance.
        not_better: those in which it is not.
        unknown: those for which there are no resamples to compare with.
    """

    better: tuple[ScoreChange, ...] = ()
    not_better: tuple[ScoreChange, ...] = ()
    unknown: tuple[ScoreChange, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Return whether the model is better than the baseline in no score."""
        return bool(self.not_better) and not self.better


def worth_of(evaluation: ModelEvaluation) -> Worth | None:
    """Compare a model with the baseline.

    Args:
        evaluation: of the model.

    Returns:
        The deciding scores; None where the baseline was not evaluated.
    """
    if evaluation.baseline is None:
        return None
    changes = {change.score.name: change for change in list_score_changes(None, evaluation, {})}
    metrics = [metric.declared_scores() for metric in METRICS.values()]
    metrics += [(score,) for score in evaluation.declared if score.headline]
    headlines = [
        next((changes[score.name] for score in scores if score.headline and score.name in changes), None)
        for scores in metrics
    ]
    deciding = [change for change in headlines if change is not None] or list(changes.values())[:1]
    deciding = [change for change in deciding if change.after is not None and change.baseline is not None]
    return Worth(
        tuple(change for change in deciding if change.beats_baseline is True),
        tuple(change for change in deciding if change.beats_baseline is False),
        tuple(change for change in deciding if change.beats_baseline is None),
    )
