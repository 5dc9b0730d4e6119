"""``Detections``: the one type in which boxes travel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Detections"]


@dataclass(frozen=True, eq=False)
class Detections:
    """Labelled boxes of one image; equal to others with the same boxes in the same order.

    Florence-2 names its classes in words and knows no closed list, so a box carries its class name.

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

    def rows(self) -> Iterator[tuple[str, float, list[float]]]:
        """Yield class name, confidence (1 where there is none) and x_min, y_min, x_max, y_max of each box."""
        scores = [1.0] * len(self) if self.confidence is None else self.confidence.tolist()
        yield from zip(self.class_name, scores, self.xyxy.tolist(), strict=True)

    @classmethod
    def empty(cls) -> Detections:
        """Return detections of an image without objects."""
        return cls(np.zeros((0, 4), dtype=np.float32), (), np.zeros(0, dtype=np.float32))
