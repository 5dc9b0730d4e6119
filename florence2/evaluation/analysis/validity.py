"""How many answers are not what their task asks for: cut, malformed, empty, or about classes that do not exist."""

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
        cut: those that reached the greatest length without an end.
        malformed: those with at least one group that is no box, a name without one among them.
        empty: those without a word where there was something to answer.
        boxes: predicted boxes that mean average precision judges.
        unknown_names: those of them whose class occurs nowhere in the truth of the split.
        unscored: boxes left out because their confidence or a coordinate is not a number.
        without_truth: images that it judges without any true box: every box there is wrong.
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


def validity(rows: Sequence[EvaluatedSample], images: Sequence[MatchedImage]) -> Validity:
    """Count what is not as it should be.

    Args:
        rows: all of the split.
        images: those that mean average precision judges.
    """
    known = {name for image in images for name in image.target.class_name}
    return Validity(
        answers=len(rows),
        invalid=sum(row.truncated or row.malformed > 0 for row in rows),
        cut=sum(row.truncated for row in rows),
        malformed=sum(row.malformed > 0 for row in rows),
        empty=sum(not row.text.strip() and bool(row.target.strip()) for row in rows),
        boxes=sum(len(image.prediction) for image in images),
        unknown_names=sum(name not in known for image in images for name in image.prediction.class_name),
        unscored=sum(row.unscored for row in rows),
        without_truth=sum(not len(image.target) for image in images),
    )
