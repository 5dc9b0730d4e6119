"""The COCO detection scores of a COCO data set and a COCO results list, and those of resamples of its images.

They are those of pycocotools (``COCOeval("bbox")`` with default parameters: ten IoU thresholds 0.50..0.95, 101 recall
points, at most 100 detections an image and class).
Source: Lin et al., Microsoft COCO (arXiv 1405.0312); https://cocodataset.org/#detection-eval.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from florence2.errors import AnswerError
from florence2.evaluation.metrics.coco_matching import AREA_RANGES, FoundBoxes, Matches, TrueBoxes, match_boxes
from florence2.evaluation.metrics.coco_resampling import average_precisions, recalls

__all__ = [
    "SCORE_NAMES",
    "CocoScores",
    "coco_scores",
    "match_results",
    "resampled_classes",
    "resampled_scores",
    "scores_of",
]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_ALL_IOUS, _IOU_50, _IOU_75 = slice(None), slice(0, 1), slice(5, 6)
"""Positions among the ten IoU thresholds."""
_ALL, _SMALL, _MEDIUM, _LARGE = range(len(AREA_RANGES))

_PRECISIONS: dict[str, tuple[slice, int]] = {
    "map": (_ALL_IOUS, _ALL),
    "map50": (_IOU_50, _ALL),
    "map75": (_IOU_75, _ALL),
    "map_small": (_ALL_IOUS, _SMALL),
    "map_medium": (_ALL_IOUS, _MEDIUM),
    "map_large": (_ALL_IOUS, _LARGE),
}
_RECALLS = ("mar_1", "mar_10", "mar_100", "mar_small", "mar_medium", "mar_large")
"""In the order of ``coco_resampling.VIEWS``."""

SCORE_NAMES = (*_PRECISIONS, *_RECALLS)
"""The twelve scores in the order in which COCO prints them."""
_CLASS_SCORES: dict[str, slice] = {"ap": _ALL_IOUS, "ap50": _IOU_50, "ap75": _IOU_75}
"""Scores of a single class, and the IoU thresholds whose mean they are."""


@dataclass(frozen=True)
class CocoScores:
    """The scores of one evaluation; what the ground truth does not define (COCO's -1) is absent.

    Attributes:
        scores: of the twelve of ``SCORE_NAMES`` those that are defined.
        per_class: ``ap``, ``ap50`` and ``ap75`` by category id, for the categories with ground truth.
    """

    scores: dict[str, float]
    per_class: dict[int, dict[str, float]]


def coco_scores(dataset: Mapping[str, Any], results: Sequence[Mapping[str, Any]]) -> CocoScores:
    """Evaluate a results list.

    Detections of equal score are ranked by ascending image id and then by their order in the list: the sort is
    stable, as in pycocotools, and with many ties this order decides the scores. An annotation of the id 0 is never
    found, for pycocotools cannot distinguish it from no match: number annotations from 1.

    Args:
        dataset: ``images``, ``categories`` and ``annotations`` as in COCO; boxes as x, y, width, height in pixels.
        results: ``image_id``, ``category_id``, ``bbox`` and ``score`` of each detection.

    Returns:
        The scores. Detections of a category without ground truth lower nothing, as in COCO.

    Raises:
        AnswerError: a result is of an image that the data set does not have.
    """
    evaluated = scores_of(match_results(dataset, results))
    categories = _ids(dataset["categories"])
    return CocoScores(evaluated.scores, {categories[index]: scores for index, scores in evaluated.per_class.items()})


def match_results(dataset: Mapping[str, Any], results: Sequence[Mapping[str, Any]]) -> Matches:
    """Match a results list with a data set; images and categories are numbered from 0 by ascending id.

    Args and raises: as ``coco_scores``.
    """
    image_at, category_at = (
        {number: index for index, number in enumerate(_ids(dataset[key]))} for key in ("images", "categories")
    )
    foreign = sorted({result["image_id"] for result in results} - image_at.keys(), key=str)
    if foreign:
        raise AnswerError(
            f"results for {len(foreign)} images that the data set does not have, the first of id {foreign[0]!r}; "
            "give the results of this data set"
        )
    known = [
        item for item in dataset["annotations"] if item["image_id"] in image_at and item["category_id"] in category_at
    ]
    results = [result for result in results if result["category_id"] in category_at]
    (true_image, true_category, true_xywh), (image, category, xywh) = (
        (
            np.array([image_at[row["image_id"]] for row in rows], dtype=np.int64),
            np.array([category_at[row["category_id"]] for row in rows], dtype=np.int64),
            np.array([row["bbox"] for row in rows], dtype=np.float64).reshape(-1, 4),
        )
        for rows in (known, results)
    )
    area = [
        row.get("area", width * height) for row, (width, height) in zip(known, true_xywh[:, 2:].tolist(), strict=True)
    ]
    truth = TrueBoxes(
        image=true_image,
        category=true_category,
        xywh=true_xywh,
        area=np.array(area, dtype=np.float64),
        crowd=np.array([bool(row.get("iscrowd")) for row in known], dtype=np.bool_),
        numbered=np.array([row["id"] != 0 for row in known], dtype=np.bool_),
    )
    score = np.array([result["score"] for result in results], dtype=np.float64)
    return match_boxes(truth, FoundBoxes(image, category, xywh, score), len(image_at), len(category_at))


def _ids(items: Iterable[Mapping[str, Any]]) -> list[int]:
    return sorted({item["id"] for item in items})


def scores_of(matches: Matches) -> CocoScores:
    """Return the scores of the images as they are, each of them once; ``per_class`` is by index."""
    once = np.ones((1, matches.images), dtype=np.int64)
    per_class = {index: _defined(scores) for index, scores in resampled_classes(matches, once).items()}
    return CocoScores(
        scores=_defined(resampled_scores(matches, once)),
        per_class={index: scores for index, scores in per_class.items() if scores},
    )


def resampled_scores(matches: Matches, weights: Ints) -> dict[str, Floats]:
    """Return the twelve scores of data sets in which images occur several times or not at all.

    Args:
        matches: the matched boxes.
        weights: how often (r, images) each image occurs in each of r resamples.

    Returns:
        Values (r,) of each score, NaN where a resample does not define it.
    """
    precision = average_precisions(matches, weights, tuple(range(len(AREA_RANGES))))
    recall = recalls(matches, weights)
    scores = {name: _mean(precision[area, :, ious]) for name, (ious, area) in _PRECISIONS.items()}
    return scores | {name: _mean(view) for name, view in zip(_RECALLS, recall, strict=True)}


def resampled_classes(matches: Matches, weights: Ints) -> dict[int, dict[str, Floats]]:
    """Return the scores of each category by its index; see ``resampled_scores``."""
    precision = average_precisions(matches, weights, (_ALL,))[0]
    return {
        index: {name: _mean(of_class[None, ious]) for name, ious in _CLASS_SCORES.items()}
        for index, of_class in enumerate(precision)
    }


def _mean(values: Floats) -> Floats:
    """Return the mean (r,) of the defined values (categories, thresholds, r), NaN where there is none."""
    defined = (~np.isnan(values)).sum(axis=(0, 1))
    undefined = np.full(values.shape[-1], np.nan)
    mean: Floats = np.divide(np.nansum(values, axis=(0, 1)), defined, out=undefined, where=defined > 0)
    return mean


def _defined(scores: Mapping[str, Floats]) -> dict[str, float]:
    """Return the values of the one resample that is the data set itself, where they are numbers."""
    return {name: float(value[0]) for name, value in scores.items() if not np.isnan(value[0])}
