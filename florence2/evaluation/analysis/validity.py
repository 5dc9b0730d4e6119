"""Numbers of answers that are cut, malformed, empty, or about classes that the split does not have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from florence2.evaluation.evaluated_sample import EvaluatedSample
from florence2.evaluation.matching import MatchedImage

__all__ = ["Validity", "validity"]


@dataclass(frozen=True)
class Validity:
    """Counts over a split.

    Attributes:
        answers: all of them.
        invalid: those that are cut or malformed.
        cut: those that reached the length limit.
        malformed: those with at least one group that is not a valid box, for example a name without locations.
        empty: those without a word where the target has some.
        boxes: predicted boxes that mean average precision evaluates.
        unknown_names: those of them whose class is not a class of the targets.
        unscored: boxes left out because their confidence or a coordinate is not a finite number.
        without_truth: images without any true box: every predicted box there is wrong.
        unseen: boxes whose class the training of the model never saw, where that is recorded.
        unseen_names: their classes.
    """

    answers: int
    invalid: int
    cut: int
    malformed: int
    empty: int
    boxes: int
    unknown_names: int
    unscored: int
    without_truth: int
    unseen: int = 0
    unseen_names: tuple[str, ...] = ()


def validity(samples: Sequence[EvaluatedSample], images: Sequence[MatchedImage]) -> Validity:
    """Count the faults.

    Args:
        samples: all of the split.
        images: those that mean average precision evaluates.
    """
    known = {name for image in images for name in image.target.class_name}
    return Validity(
        answers=len(samples),
        invalid=sum(sample.truncated or sample.malformed > 0 for sample in samples),
        cut=sum(sample.truncated for sample in samples),
        malformed=sum(sample.malformed > 0 for sample in samples),
        empty=sum(not sample.text.strip() and bool(sample.target.strip()) for sample in samples),
        boxes=sum(len(image.prediction) for image in images),
        unknown_names=sum(name not in known for image in images for name in image.prediction.class_name),
        unscored=sum(sample.unscored for sample in samples),
        without_truth=sum(not len(image.target) for image in images),
        unseen=sum(
            name in sample.prediction.unseen
            for sample in samples
            if sample.prediction.detections is not None
            for name in sample.prediction.detections.class_name
        ),
        unseen_names=tuple(sorted({name for sample in samples for name in sample.prediction.unseen})),
    )
