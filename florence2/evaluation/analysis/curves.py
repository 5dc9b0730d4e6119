"""Precision over recall at IoU 0.5, as COCO draws it: the area under each curve is the class's AP50.

Source: Lin et al., Microsoft COCO (arXiv 1405.0312): precision at 101 recalls, each the best at that recall or above.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from florence2.evaluation.matching import MatchedImage

__all__ = ["RECALLS", "PrecisionRecall", "precision_recall"]

RECALLS: tuple[float, ...] = tuple(np.linspace(0.0, 1.0, 101).tolist())
"""The recalls at which a curve is read, from 0.00 to 1.00."""


@dataclass(frozen=True)
class PrecisionRecall:
    """Curves of one model.

    Attributes:
        overall: precision at each of ``RECALLS``, the mean over classes; its own mean is mAP50.
        by_class: the same of single classes; its mean is AP50.
    """

    overall: tuple[float, ...]
    by_class: dict[str, tuple[float, ...]] = field(default_factory=dict)


def precision_recall(images: Sequence[MatchedImage], most: int = 24) -> PrecisionRecall | None:
    """Return the curves over a split.

    Args:
        images: all of the split; of equal confidences those of earlier images rank first.
        most: number of classes whose own curve is returned, those with the most true boxes; the mean is over all.

    Returns:
        The curves; None where there is no true box.
    """
    truths = Counter(name for image in images for name in image.target.class_name)
    if not truths:
        return None
    scores: defaultdict[str, list[float]] = defaultdict(list)
    right: defaultdict[str, list[bool]] = defaultdict(list)
    for image in images:
        confidence = image.prediction.confidence
        values = [1.0] * len(image.prediction) if confidence is None else confidence.tolist()
        for name, value, is_right in zip(image.prediction.class_name, values, image.right.tolist(), strict=True):
            scores[name].append(value)
            right[name].append(is_right)
    curves = {name: _curve(np.array(scores[name]), np.array(right[name], bool), truths[name]) for name in truths}
    kept = sorted(name for name, _ in truths.most_common(most))
    overall = np.mean([curves[name] for name in sorted(curves)], axis=0)
    return PrecisionRecall(tuple(overall.tolist()), {name: tuple(curves[name].tolist()) for name in kept})


def _curve(scores: NDArray[np.float64], right: NDArray[np.bool_], truths: int) -> NDArray[np.float64]:
    """Return the precision (101,) of one class."""
    hits = np.cumsum(right[np.argsort(-scores, kind="stable")])
    precision = hits / np.arange(1, len(hits) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    indices = np.searchsorted(hits / truths, RECALLS, side="left")
    return np.append(best, 0.0)[indices]
