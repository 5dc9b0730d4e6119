"""How large the objects of a data set are for a model, and how many each class has."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from florence2.codec import BINS, CLASS_TASKS, scan_column
from florence2.datasets import Boxes, DatasetManifest, boxes_of

__all__ = ["SMALL_OBJECT", "class_counts", "object_sides"]

SMALL_OBJECT = 10
"""Pixels of the shorter side of a small object at the model's size: a patch of DaViT has 4 before it is halved."""


def object_sides(manifest: DatasetManifest, input_wh: tuple[int, int]) -> NDArray[np.float64]:
    """Return the shorter side of each object in pixels of a model's input, float64 (n,).

    Args:
        manifest: samples; those of other tasks than ``CLASS_TASKS`` are left out.
        input_wh: width and height of the model's input in pixels.
    """
    bins = _boxes(manifest).bins
    sides = (bins[:, 2:] - bins[:, :2]) / BINS * np.array(input_wh, dtype=np.float64)
    shorter: NDArray[np.float64] = sides.min(axis=1).clip(min=0.0)
    return shorter


def class_counts(manifest: DatasetManifest) -> dict[str, int]:
    """Return the number of boxes of each class; samples of other tasks than ``CLASS_TASKS`` are left out."""
    boxes = _boxes(manifest)
    return dict(Counter(boxes.names[index] for index in boxes.name.tolist()))


def _boxes(manifest: DatasetManifest) -> Boxes:
    others = manifest.table.index[~manifest.table["task"].isin(CLASS_TASKS)]
    detections = manifest.drop(others.tolist())
    return boxes_of(detections, scan_column(detections.table["suffix"]))
