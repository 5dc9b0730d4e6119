"""``Detections``: the one type for the boxes of an image, and how far boxes overlap.

``florence2.codec.answers`` writes them as answers and reads them from answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Detections", "box_iou"]


@dataclass(frozen=True, eq=False)
class Detections:
    """Labelled boxes of one image; equal to others with the same boxes in the same order.

    Florence-2 names classes in words and has no closed list of them, so each box has a class name.

    Attributes:
        xyxy: float32 (n, 4), x_min, y_min, x_max, y_max in pixels.
        class_name: n class names.
        confidence: float32 (n,) in 0..1, or None where there is none (ground truth).

    Raises:
        ValueError: a field has the wrong shape or length.

    Example:
        >>> found = Detections([[10, 20, 50, 80]], ("cat",), [0.9])
        >>> found.xyxy.shape, found.class_name, len(found)
        ((1, 4), ('cat',), 1)
    """

    xyxy: NDArray[np.float32]
    class_name: tuple[str, ...]
    confidence: NDArray[np.float32] | None = field(default=None)

    def __post_init__(self) -> None:
        xyxy = np.asarray(self.xyxy, dtype=np.float32).reshape(-1, 4) if np.size(self.xyxy) == 0 else self.xyxy
        xyxy = np.asarray(xyxy, dtype=np.float32)
        object.__setattr__(self, "xyxy", xyxy)
        object.__setattr__(self, "class_name", tuple(self.class_name))
        if xyxy.ndim != 2 or xyxy.shape[1] != 4:
            raise ValueError(f"xyxy must have shape (n, 4), not {xyxy.shape}")
        if len(self.class_name) != len(xyxy):
            raise ValueError(f"{len(xyxy)} boxes but {len(self.class_name)} class names")
        if self.confidence is not None:
            confidence = np.asarray(self.confidence, dtype=np.float32)
            object.__setattr__(self, "confidence", confidence)
            if confidence.shape != (len(xyxy),):
                raise ValueError(f"confidence must have shape ({len(xyxy)},), not {confidence.shape}")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Detections):
            return NotImplemented
        ours, theirs = self.confidence, other.confidence
        same = ours is theirs if ours is None or theirs is None else np.array_equal(ours, theirs)
        return same and self.class_name == other.class_name and np.array_equal(self.xyxy, other.xyxy)

    __hash__ = None  # type: ignore[assignment] # arrays may change

    def __len__(self) -> int:
        return len(self.xyxy)

    def with_area(self) -> Detections:
        """Return the boxes that have an area; the others are no boxes of a model's answer."""
        kept = np.all(self.xyxy[:, 2:] > self.xyxy[:, :2], axis=1)
        names = tuple(name for name, is_kept in zip(self.class_name, kept.tolist(), strict=True) if is_kept)
        return Detections(self.xyxy[kept], names, None if self.confidence is None else self.confidence[kept])

    def iou(self, other: Detections) -> NDArray[np.float64]:
        """Return the intersection over union of each of these n boxes with each of m others, (n, m) in 0..1."""
        return box_iou(self.xyxy[:, None], other.xyxy[None])

    def rows(self) -> Iterator[tuple[str, float, list[float]]]:
        """Yield class name, confidence (1 where there is none) and x_min, y_min, x_max, y_max of each box."""
        scores = [1.0] * len(self) if self.confidence is None else self.confidence.tolist()
        yield from zip(self.class_name, scores, self.xyxy.tolist(), strict=True)

    @classmethod
    def empty(cls) -> Detections:
        """Return the detections of an image without objects, with confidences."""
        return cls(np.zeros((0, 4), dtype=np.float32), (), np.zeros(0, dtype=np.float32))


def box_iou(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Return the intersection over union of pairs of boxes.

    Args:
        first: boxes (..., 4) as x_min, y_min, x_max, y_max, in any unit.
        second: boxes in the same unit, of a shape that broadcasts to that of ``first``: (n, 4) and (n, 4) are n pairs,
            (n, 1, 4) and (1, m, 4) all n * m.

    Returns:
        Values (...) in 0..1; 0 where a box has no area.
    """
    left, top, right, bottom = np.moveaxis(np.asarray(first, dtype=np.float64), -1, 0)
    other_left, other_top, other_right, other_bottom = np.moveaxis(np.asarray(second, dtype=np.float64), -1, 0)
    width = np.minimum(right, other_right) - np.maximum(left, other_left)
    height = np.minimum(bottom, other_bottom) - np.maximum(top, other_top)
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    union = (right - left) * (bottom - top) + (other_right - other_left) * (other_bottom - other_top) - shared
    overlaps: NDArray[np.float64] = np.divide(
        shared, union, out=np.zeros_like(shared), where=(shared > 0) & (union > 0)
    )
    return overlaps
