"""``EvaluatedSample``: one row of a split with what a model answered and what that is worth."""

from __future__ import annotations

from dataclasses import dataclass

from florence2.codec import AnswerKind, split_prefix
from florence2.evaluation.matching import MatchedImage

__all__ = ["BOX_SCORE", "EvaluatedSample"]

BOX_SCORE = "F1"
"""Name of the value of a row with boxes, see ``MatchedImage.f1``."""


@dataclass(frozen=True)
class EvaluatedSample:
    """One row, judged.

    Attributes:
        image: path of the image in its data set.
        resolution_wh: its width and height in pixels.
        prefix: the prompt.
        target: the annotated answer.
        text: the model's answer.
        score: name of the score that ``value`` is one of.
        value: what this answer is worth by itself; None where a single answer has no such value.
        boxes: its boxes with the true ones, matched; None where the answer has none.
        truncated: whether the answer was cut at the greatest length.
        malformed: groups of the answer that are no box.
        unscored: boxes that were left out because their confidence or a coordinate is not a number.
    """

    image: str
    resolution_wh: tuple[int, int]
    prefix: str
    target: str
    text: str
    score: str
    value: float | None
    boxes: MatchedImage | None = None
    truncated: bool = False
    malformed: int = 0
    unscored: int = 0

    @property
    def question(self) -> str | None:
        """Return the question of a row that asks one, else None."""
        task, text = split_prefix(self.prefix)
        return text if task.answer is AnswerKind.ANSWER else None
