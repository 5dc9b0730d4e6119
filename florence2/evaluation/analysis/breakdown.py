"""How well boxes are found by their size and by how many an image has, at IoU 0.5."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from florence2.codec import Detections
from florence2.evaluation.matching import MatchedImage

__all__ = ["BoxGroup", "by_crowding", "by_size"]

_SIZES: tuple[tuple[str, float, float], ...] = (
    ("small (below 32 x 32 pixels)", 0.0, 32.0**2),
    ("medium (below 96 x 96)", 32.0**2, 96.0**2),
    ("large", 96.0**2, np.inf),
)
"""Name, least area and the area from which on a box is of the next size; COCO's."""

_CROWDS: tuple[tuple[str, int, int], ...] = (
    ("no box", 0, 0),
    ("1 box", 1, 1),
    ("2 boxes", 2, 2),
    ("3 to 5 boxes", 3, 5),
    ("6 to 10 boxes", 6, 10),
    ("11 to 20 boxes", 11, 20),
    ("more than 20 boxes", 21, 10**9),
)
"""Name, least and greatest number of true boxes in an image."""


@dataclass(frozen=True)
class BoxGroup:
    """The boxes of some kind.

    Attributes:
        name: of the kind.
        images: images that have such boxes, or are of that kind.
        truths: true boxes.
        found: those of them that were found.
        predictions: predicted boxes.
        right: those of them that are right.
    """

    name: str
    images: int
    truths: int
    found: int
    predictions: int
    right: int

    @property
    def recall(self) -> float | None:
        """Return the share of true boxes that was found."""
        return self.found / self.truths if self.truths else None

    @property
    def precision(self) -> float | None:
        """Return the share of predicted boxes that is right."""
        return self.right / self.predictions if self.predictions else None


def by_size(images: Sequence[MatchedImage]) -> tuple[BoxGroup, ...]:
    """Group boxes by their own area; a box without counterpart is of its size all the same."""

    def group(name: str, least: float, limit: float) -> BoxGroup:
        def of_size(boxes: Detections) -> NDArray[np.bool_]:
            sides = boxes.xyxy[:, 2:].astype(np.float64) - boxes.xyxy[:, :2]
            area: NDArray[np.float64] = sides.prod(axis=1)
            return (area >= least) & (area < limit)

        return _group(name, images, of_size)

    return tuple(found for size in _SIZES if (found := group(*size)).truths or found.predictions)


def by_crowding(images: Sequence[MatchedImage]) -> tuple[BoxGroup, ...]:
    """Group images by the number of true boxes in them."""
    groups = []
    for name, least, most in _CROWDS:
        inside = [image for image in images if least <= len(image.target) <= most]
        if inside:
            groups.append(_group(name, inside, lambda boxes: np.ones(len(boxes), dtype=np.bool_), len(inside)))
    return tuple(groups)


def _group(
    name: str,
    images: Sequence[MatchedImage],
    belongs: Callable[[Detections], NDArray[np.bool_]],
    count: int | None = None,
) -> BoxGroup:
    """Count the boxes that belong to a group, and the images with some of them unless their number is known."""
    truths = [belongs(image.target) for image in images]
    predictions = [belongs(image.prediction) for image in images]
    return BoxGroup(
        name=name,
        images=sum(bool(truth.any()) for truth in truths) if count is None else count,
        truths=sum(int(truth.sum()) for truth in truths),
        found=sum(int((image.found & truth).sum()) for image, truth in zip(images, truths, strict=True)),
        predictions=sum(int(prediction.sum()) for prediction in predictions),
        right=sum(int((image.right & guess).sum()) for image, guess in zip(images, predictions, strict=True)),
    )
