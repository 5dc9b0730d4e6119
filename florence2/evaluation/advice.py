"""What to try next after a poor training, chosen from what was measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from florence2.datasets import DatasetManifest
from florence2.evaluation.objects import SMALL_OBJECT, class_counts, object_sides
from florence2.evaluation.report import ModelEvaluation
from florence2.evaluation.worth import worth_of
from florence2.model import BUILTIN_MODELS, HUB_BASE
from florence2.training import TrainingHistory

__all__ = ["TrainingFacts", "advise"]

_LOW = 0.3
"""Below this a score of 0 to 1 is low: most of what was to be found was not."""

_ROSE = 1.05
_FALLS = 0.98
"""Ratio of two losses from which one has risen or still falls."""

_FEW_EPOCHS = 3
_FEW_BOXES = 10


@dataclass(frozen=True)
class TrainingFacts:
    """What was measured in a training and on its data.

    Attributes:
        losses: training loss of each epoch.
        validation_losses: validation loss of each epoch.
        best_epoch: number of the epoch that was kept, from 1.
        base: name of the base.
        input_wh: width and height of the model's input in pixels.
        object_sides: shorter side of each object of the training split, in pixels of the model's input.
        class_counts: boxes of each class in the training split.
    """

    losses: tuple[float, ...] = ()
    validation_losses: tuple[float, ...] = ()
    best_epoch: int = 0
    base: str = ""
    input_wh: tuple[int, int] = (768, 768)
    object_sides: tuple[float, ...] = ()
    class_counts: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls, train: DatasetManifest, history: TrainingHistory, base: str, input_wh: tuple[int, int]
    ) -> TrainingFacts:
        """Measure the data and read the course of a training.

        Args:
            train: the training split.
            history: of the training.
            base: name of the base.
            input_wh: width and height of the model's input in pixels.
        """
        return cls(
            tuple(record.loss for record in history.epochs),
            tuple(record.validation_loss for record in history.epochs),
            history.best_epoch,
            base,
            input_wh,
            tuple(object_sides(train, input_wh).tolist()),
            class_counts(train),
        )


def advise(evaluation: ModelEvaluation, facts: TrainingFacts) -> str:
    """Return one sentence on what to try next and why; empty after a training that is not poor.

    A training is poor if its model is not better than the baseline in some score, or has a low one. Of several reasons
    the first counts: a training that went wrong, one that was too short, objects that the model cannot see, classes
    that it hardly met, a base that knows no photographs.

    Args:
        evaluation: of the trained model, with its baseline.
        facts: what was measured.
    """
    if not _is_poor(evaluation):
        return ""
    reasons = (_rate_too_high, _first_epoch_best, _still_falling, _small_objects, _rare_class, _base)
    return next((reason for each in reasons if (reason := each(facts))), "")


def _is_poor(evaluation: ModelEvaluation) -> bool:
    worth = worth_of(evaluation)
    if worth is None:
        return False
    low = [
        change
        for change in (*worth.better, *worth.unknown)
        if change.score.higher_is_better and change.after is not None and change.after < _LOW
    ]
    return bool(worth.not_better or low)


def _rate_too_high(facts: TrainingFacts) -> str:
    # Where an epoch has fewer steps than are logged together, its loss is not known.
    losses = [loss for loss in facts.losses if not math.isnan(loss)]
    if len(losses) > 1 and not losses[-1] < _ROSE * losses[0]:
        return (
            f"The training loss rose from {losses[0]:.3g} to {losses[-1]:.3g}: the learning rate is too high; try a "
            "third of it (--learning-rate)."
        )
    return ""


def _first_epoch_best(facts: TrainingFacts) -> str:
    if facts.best_epoch == 1 and len(facts.losses) >= _FEW_EPOCHS:
        return (
            f"Of {len(facts.losses)} epochs the first was the best on the validation split: the model learns the "
            "training images by heart; try a lower learning rate (--learning-rate), or add samples."
        )
    return ""


def _still_falling(facts: TrainingFacts) -> str:
    losses = facts.validation_losses
    epochs = len(losses)
    falls = epochs == 1 or (epochs > 1 and losses[-1] < _FALLS * losses[-2])
    if epochs and facts.best_epoch == epochs and falls:
        remedy = f"try more epochs (--epochs={max(2 * epochs, 4)})."
        if epochs == 1:
            return f"The training had one epoch only: {remedy}"
        course = f"from {losses[-2]:.3g} to {losses[-1]:.3g}"
        return f"The validation loss was still falling in the last of {epochs} epochs, {course}: {remedy}"
    return ""


def _small_objects(facts: TrainingFacts) -> str:
    small = sum(side < SMALL_OBJECT for side in facts.object_sides)
    if 2 * small > len(facts.object_sides):
        width, height = facts.input_wh
        return (
            f"{small:,} of {len(facts.object_sides):,} objects are smaller than {SMALL_OBJECT} pixels at the model's "
            f"size of {width} x {height}: cut the images into crops, or try a base with a larger input."
        )
    return ""


def _rare_class(facts: TrainingFacts) -> str:
    name, boxes = min(facts.class_counts.items(), key=lambda item: (item[1], item[0]), default=("", _FEW_BOXES))
    if boxes < _FEW_BOXES:
        many = "1 box" if boxes == 1 else f"{boxes} boxes"
        return f"The class {name} has {many} in the training split: add samples of it."
    return ""


def _base(facts: TrainingFacts) -> str:
    if facts.base in BUILTIN_MODELS:
        return (
            f"The base {facts.base} is small and has seen no photograph: try {HUB_BASE} on a GPU (--base={HUB_BASE})."
        )
    return ""
