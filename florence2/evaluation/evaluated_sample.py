"""``EvaluatedSample``: a sample of a split with the answer of a model and its value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from florence2.codec import AnswerKind, Task
from florence2.evaluation.matching import MatchedImage

if TYPE_CHECKING:
    from florence2.inference import Prediction
    from florence2.model import Sample

__all__ = ["BOX_SCORE", "EvaluatedSample"]

BOX_SCORE = "F1"
"""Name of the score of a single sample with boxes, see ``MatchedImage.f1``."""


@dataclass(frozen=True)
class EvaluatedSample:
    """A sample with the answer of a model.

    Attributes:
        image: path of the image in its data set.
        sample: the prompt and the annotated answer, with the image file.
        prediction: the answer of the model, without boxes that have no finite score.
        score: name of the score of which ``value`` is one; empty where there is none.
        value: of this answer alone; None where a single answer has no value.
        boxes: predicted and true boxes, matched; None where the task has none.
        unscored: number of boxes that were left out because their confidence or a coordinate is not a finite number.
    """

    image: str
    sample: Sample
    prediction: Prediction
    score: str
    value: float | None
    boxes: MatchedImage | None = None
    unscored: int = 0

    @property
    def resolution_wh(self) -> tuple[int, int]:
        """Return width and height of the image in pixels."""
        return self.sample.resolution_wh

    @property
    def prefix(self) -> str:
        """Return the prompt."""
        return self.sample.prefix

    @property
    def task(self) -> Task:
        """Return the task of the prompt."""
        return self.sample.task

    @property
    def target(self) -> str:
        """Return the annotated answer."""
        return self.sample.suffix

    @property
    def text(self) -> str:
        """Return the answer of the model."""
        return self.prediction.text

    @property
    def truncated(self) -> bool:
        """Return whether the answer was cut at the length limit."""
        return self.prediction.truncated

    @property
    def malformed(self) -> int:
        """Return the number of groups in the answer that are not valid boxes."""
        return self.prediction.malformed

    @property
    def question(self) -> str | None:
        """Return the question of a task that has one, else None."""
        task, text = self.sample.tasks.split_prefix(self.prefix)
        return text if task.answer is AnswerKind.ANSWER else None
