"""Calibration: how often boxes of each confidence are right.

Source: Guo et al., On Calibration of Modern Neural Networks (arXiv 1706.04599), with ten bins of equal width; a box is
right as the metric says at IoU 0.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from florence2.evaluation.matching import MatchedImage

__all__ = ["Calibration", "CalibrationBin", "calibration"]

_BINS = 10


@dataclass(frozen=True)
class CalibrationBin:
    """The predicted boxes of one range of confidence.

    Attributes:
        low: least confidence.
        high: greatest confidence; it belongs to the next bin, except for 1.
        boxes: how many there are, at least one.
        confidence: their mean confidence.
        right: share of them that is right.
    """

    low: float
    high: float
    boxes: int
    confidence: float
    right: float


@dataclass(frozen=True)
class Calibration:
    """How far confidences are from the share of right boxes.

    Attributes:
        bins: those with boxes, by ascending confidence.
        error: expected calibration error in 0..1: the mean over boxes of the distance in their bin; 0 is best.
    """

    bins: tuple[CalibrationBin, ...]
    error: float


def calibration(images: Sequence[MatchedImage]) -> Calibration | None:
    """Compare confidence and truth over a split; None where no box was predicted."""
    scored = [image for image in images if image.prediction.confidence is not None and len(image.prediction)]
    if not scored:
        return None
    scores = np.concatenate([np.asarray(image.prediction.confidence, dtype=np.float64) for image in scored])
    right = np.concatenate([image.right for image in scored])
    indices = np.minimum((scores * _BINS).astype(np.int64), _BINS - 1)
    bins = [
        CalibrationBin(
            low=index / _BINS,
            high=(index + 1) / _BINS,
            boxes=int(inside.sum()),
            confidence=float(scores[inside].mean()),
            right=float(right[inside].mean()),
        )
        for index in range(_BINS)
        if (inside := indices == index).any()
    ]
    error = sum(each.boxes * abs(each.confidence - each.right) for each in bins) / len(scores)
    return Calibration(tuple(bins), error)
