"""Which predicted boxes are right, for pictures and counts of single images.

No metric is computed from this: mAP ranks boxes over the whole split, see ``detection.py``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from florence2.codec.detections import Detections

__all__ = ["box_iou", "matched"]


def box_iou(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the intersection over union of every pair of boxes.

    Args:
        first: boxes (n, 4) as x_min, y_min, x_max, y_max.
        second: boxes (m, 4).

    Returns:
        Values (n, m) in 0..1; 0 for a pair without area.
    """
    a, b = first.astype(np.float64)[:, None], second.astype(np.float64)[None]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    intersection = sides.clip(min=0).prod(axis=-1)
    union = (a[..., 2:] - a[..., :2]).prod(axis=-1) + (b[..., 2:] - b[..., :2]).prod(axis=-1) - intersection
    overlaps: NDArray[np.float64] = np.divide(intersection, union, out=np.zeros_like(intersection), where=union > 0)
    return overlaps


def matched(prediction: Detections, target: Detections, threshold: float = 0.5) -> NDArray[np.bool_]:
    """Tell for each predicted box whether it finds a true box of its class that no earlier one found.

    Args:
        prediction: predicted boxes; earlier ones choose first.
        target: true boxes.
        threshold: overlap (IoU) from which on a box is found.

    Returns:
        Booleans (n,), n the number of predicted boxes.
    """
    overlaps = box_iou(prediction.xyxy, target.xyxy)
    right = np.zeros(len(prediction), dtype=np.bool_)
    free = np.ones(len(target), dtype=np.bool_)
    names = np.array(target.class_name, dtype=object)
    for index, name in enumerate(prediction.class_name):
        candidates = np.where(free & (names == name), overlaps[index], -1.0)
        if candidates.size and candidates.max() >= threshold:
            right[index] = True
            free[candidates.argmax()] = False
    return right
