"""The COCO detection figures of a COCO data set and a COCO results list.

The matching is that of pycocotools (``COCOeval("bbox")`` with default parameters: ten IoU thresholds 0.50..0.95,
101 recall points, at most 100 detections an image and class), done by faster-coco-eval in C++.
Source: Lin et al., Microsoft COCO (arXiv 1405.0312); https://cocodataset.org/#detection-eval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FIGURE_NAMES", "CocoScores", "coco_scores"]

_IOU_50, _IOU_75 = 0, 5
"""Positions of 0.50 and 0.75 among the ten IoU thresholds."""
_ALL, _SMALL, _MEDIUM, _LARGE = range(4)
"""Positions of the area ranges: any, below 32 x 32 pixels, from there below 96 x 96, from there."""
_MAX_1, _MAX_10, _MAX_100 = range(3)
"""Positions of the limits of detections for each image and class."""

_PRECISIONS: dict[str, tuple[int | None, int]] = {
    "map": (None, _ALL),
    "map50": (_IOU_50, _ALL),
    "map75": (_IOU_75, _ALL),
    "map_small": (None, _SMALL),
    "map_medium": (None, _MEDIUM),
    "map_large": (None, _LARGE),
}
_RECALLS: dict[str, tuple[int, int]] = {
    "mar_1": (_ALL, _MAX_1),
    "mar_10": (_ALL, _MAX_10),
    "mar_100": (_ALL, _MAX_100),
    "mar_small": (_SMALL, _MAX_100),
    "mar_medium": (_MEDIUM, _MAX_100),
    "mar_large": (_LARGE, _MAX_100),
}

FIGURE_NAMES = (*_PRECISIONS, *_RECALLS)
"""The twelve figures in the order in which COCO prints them."""


@dataclass(frozen=True)
class CocoScores:
    """The figures of one evaluation; what the ground truth does not define (COCO's -1) is absent.

    Attributes:
        figures: of the twelve of ``FIGURE_NAMES`` those that are defined.
        per_class: ``ap``, ``ap50`` and ``ap75`` by category id, for the categories with ground truth.
    """

    figures: dict[str, float]
    per_class: dict[int, dict[str, float]]


def coco_scores(dataset: Mapping[str, Any], results: Sequence[Mapping[str, Any]]) -> CocoScores:
    """Evaluate a results list.

    Detections of equal score are ranked by ascending image id and then by their order in the list: the sort is
    stable, as in pycocotools, and with many ties this order decides the figures.

    Args:
        dataset: ``images``, ``categories`` and ``annotations`` as in COCO; boxes as x, y, width, height in pixels.
        results: ``image_id``, ``category_id``, ``bbox`` and ``score`` of each detection.

    Returns:
        The figures. Detections of a category without ground truth lower nothing, as in COCO.
    """
    if not dataset["annotations"]:
        return CocoScores({}, {})
    from faster_coco_eval import COCO, COCOeval_faster

    # Both are copied because the evaluation writes ids and flags into the dictionaries.
    truth = COCO({key: [dict(item) for item in dataset[key]] for key in ("images", "categories", "annotations")})
    evaluation = COCOeval_faster(
        truth, truth.loadRes([dict(result) for result in results]), "bbox", print_function=_say_nothing
    )
    evaluation.evaluate()
    evaluation.accumulate()
    precision, recall = evaluation.eval["precision"], evaluation.eval["recall"]
    figures = {name: _mean(_select(precision, iou)[..., area, _MAX_100]) for name, (iou, area) in _PRECISIONS.items()}
    figures |= {name: _mean(recall[..., area, limit]) for name, (area, limit) in _RECALLS.items()}
    return CocoScores(_defined(figures), _by_category(precision, evaluation.params.catIds))


def _by_category(precision: NDArray[np.float64], category_ids: Sequence[int]) -> dict[int, dict[str, float]]:
    per_class = {}
    for index, category_id in enumerate(category_ids):
        of_class = precision[:, :, index, _ALL, _MAX_100]
        figures = {"ap": None, "ap50": _IOU_50, "ap75": _IOU_75}
        defined = _defined({name: _mean(_select(of_class, iou)) for name, iou in figures.items()})
        if defined:
            per_class[int(category_id)] = defined
    return per_class


def _select(precision: NDArray[np.float64], iou: int | None) -> NDArray[np.float64]:
    """Return the part of one IoU threshold, the first axis, or all of it."""
    return precision if iou is None else precision[iou]


def _mean(values: NDArray[np.float64]) -> float | None:
    """Return the mean of the defined values; COCO marks the others with -1."""
    defined = values[values > -1]
    return float(defined.mean()) if defined.size else None


def _defined(figures: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in figures.items() if value is not None}


def _say_nothing(*_: object) -> None:
    """Take the place of the evaluation's progress messages."""
