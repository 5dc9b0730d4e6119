"""``GroundingAccuracyMetric``: how many phrases of a caption were found in the image.

Conventions, each of which changes the score:

- A phrase is the text before boxes, letter by letter; written several times it is one phrase with all of its boxes.
- Only the box of the highest confidence is compared, of equal ones the first (recall at 1).
- A phrase with several true boxes ("two dogs") is found by any of them, the protocol ANY-BOX of MDETR (Kamath et
  al., arXiv 2104.12763). The other protocol for Flickr30k Entities merges them into the one box around all, which
  Florence-2, which was trained to write a box for each object, never writes.
- Boxes of phrases that are not in the target do not lower the score; ``counts()["unknown_phrases"]`` counts them.
"""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from florence2.codec import AnswerKind, Detections, box_iou
from florence2.evaluation.metrics.metric import Metric, weighted_ratio
from florence2.evaluation.metrics.score import Score

__all__ = ["GroundingAccuracyMetric"]

_OVERLAP = 0.5


class GroundingAccuracyMetric(Metric[Detections, Detections]):
    """Share of phrases whose box overlaps a true one by at least half (IoU 0.5)."""

    name: ClassVar[str] = "grounding_accuracy"
    scores: ClassVar[tuple[Score, ...]] = (
        Score(name, "Phrases found", "phrases whose box overlaps by at least 0.5", headline=True),
    )
    answer_kinds: ClassVar[tuple[AnswerKind, ...]] = (AnswerKind.BOXES,)
    default_for: ClassVar[tuple[AnswerKind | str, ...]] = ("<CAPTION_TO_PHRASE_GROUNDING>",)

    def __init__(self) -> None:
        self._found: list[int] = []
        self._phrases: list[int] = []
        self._unknown = 0

    def update(self, prediction: Detections, target: Detections) -> None:
        """Take one caption.

        Args:
            prediction: the boxes that the model found, with the phrase of each as class name.
            target: the true boxes; their confidence is not read.
        """
        phrases = dict.fromkeys(target.class_name)
        self._found.append(sum(_is_found(phrase, prediction, target) for phrase in phrases))
        self._phrases.append(len(phrases))
        self._unknown += len(set(prediction.class_name) - phrases.keys())

    def compute(self) -> dict[str, float]:
        """Return the share of all phrases of the split, in 0..1; nothing where there is none."""
        phrases = sum(self._phrases)
        return {self.name: sum(self._found) / phrases} if phrases else {}

    def values(self) -> tuple[float, ...]:
        """Return the share of each caption's phrases; NaN where it has none."""
        pairs = zip(self._found, self._phrases, strict=True)
        return tuple(found / phrases if phrases else math.nan for found, phrases in pairs)

    def resampled(self, weights: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """Return the share for each row of weights (r, n)."""
        return {self.name: weighted_ratio(weights, self._found, self._phrases)}

    def counts(self) -> dict[str, int]:
        """Return numbers of captions, of their phrases, and of answered phrases that are not in the target."""
        return {
            "captions": len(self._phrases),
            "phrases": sum(self._phrases),
            "unknown_phrases": self._unknown,
        }

    def reset(self) -> None:
        """Forget all captions."""
        self._found.clear()
        self._phrases.clear()
        self._unknown = 0

    def describe(self) -> str:
        """Say what the score means."""
        return (
            "Share of phrases whose box of the highest confidence overlaps a true box of the phrase by at least half "
            "(IoU 0.5); of several true boxes any one counts."
        )


def _is_found(phrase: str, prediction: Detections, target: Detections) -> bool:
    ours = [index for index, name in enumerate(prediction.class_name) if name == phrase]
    if not ours:
        return False
    confidence = prediction.confidence
    best = ours[0] if confidence is None else max(ours, key=lambda index: float(confidence[index]))
    true = [index for index, name in enumerate(target.class_name) if name == phrase]
    return bool(box_iou(prediction.xyxy[best], target.xyxy[true]).max() >= _OVERLAP)
