"""Which predicted boxes are right: the matching of COCO at one overlap, for single images.

mAP itself is not computed from it, see ``detection.py``. Curves, counts and drawings are, and agree with mAP.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from florence2.codec import Detections

__all__ = ["NO_TRUTH", "MatchedImage", "match_image", "truth_of"]

NO_TRUTH = -1
"""Index of the true box of a wrong predicted box."""

_MOST = 100
"""Detections of an image and class that count, as in COCO."""


@dataclass(frozen=True)
class MatchedImage:
    """The boxes of one image and which of them match.

    Attributes:
        prediction: n predicted boxes.
        target: m true boxes.
        truth: int64 (n,), the index in ``target`` of the true box that a predicted box matches at IoU 0.5, or
            ``NO_TRUTH``.
    """

    prediction: Detections
    target: Detections
    truth: NDArray[np.int64]

    @property
    def right(self) -> NDArray[np.bool_]:
        """Return for each predicted box whether it is right (n,)."""
        return np.not_equal(self.truth, NO_TRUTH)

    @property
    def found(self) -> NDArray[np.bool_]:
        """Return for each true box whether it was found (m,)."""
        found = np.zeros(len(self.target), dtype=np.bool_)
        found[self.truth[self.right]] = True
        return found

    @property
    def f1(self) -> float:
        """Return the F1 of the image, in 0..1: twice the right boxes over all boxes; 1 where there are none."""
        boxes = len(self.prediction) + len(self.target)
        return 2 * int(self.right.sum()) / boxes if boxes else 1.0


def match_image(prediction: Detections, target: Detections) -> MatchedImage:
    """Match the boxes of an image at IoU 0.5, see ``truth_of``."""
    return MatchedImage(prediction, target, truth_of(prediction, target))


def _ranked(detections: Detections) -> NDArray[np.int64]:
    """Return indices of boxes (n,) by descending confidence; equal ones, and all without any, in their order."""
    if detections.confidence is None:
        return np.arange(len(detections))
    return np.argsort(-detections.confidence, kind="stable")


def truth_of(prediction: Detections, target: Detections, threshold: float = 0.5) -> NDArray[np.int64]:
    """Find the true box of each predicted one: of its class, overlapping enough, and not taken by a better one.

    Args:
        prediction: predicted boxes; those with higher confidence choose first, of equal ones the earlier.
        target: true boxes.
        threshold: least overlap (IoU) of a match.

    Returns:
        Indices (n,) in ``target``, or ``NO_TRUTH``; n is the number of predicted boxes.
    """
    found = np.full(len(prediction), NO_TRUTH, dtype=np.int64)
    if not len(target):
        return found
    overlaps = prediction.iou(target)
    names = np.array(target.class_name, dtype=object)
    same_class = {name: names == name for name in set(prediction.class_name)}
    free = np.ones(len(target), dtype=np.bool_)
    seen: dict[str, int] = {}
    for index in _ranked(prediction).tolist():
        name = prediction.class_name[index]
        seen[name] = seen.get(name, 0) + 1
        candidates = np.where(free & same_class[name], overlaps[index], -1.0)
        # Of equal overlaps COCO chooses the last.
        best = len(candidates) - 1 - int(candidates[::-1].argmax())
        if seen[name] <= _MOST and candidates[best] >= threshold:
            found[index] = best
            free[best] = False
    return found
