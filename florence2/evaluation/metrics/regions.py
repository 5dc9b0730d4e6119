"""Metrics of answers with regions: outlines of objects by their area, text regions by their location and text."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from florence2.codec import AnswerKind, Polygons, Quads
from florence2.evaluation.metrics.metric import Metric, SampleMeanMetric, weighted_ratio
from florence2.evaluation.metrics.polygon_overlap import polygon_iou
from florence2.evaluation.metrics.score import Score
from florence2.evaluation.metrics.text import compose

__all__ = ["MeanIoUMetric", "OCRRegionF1Metric"]

_OVERLAP = 0.5

_SMALLEST = 1e-6
"""Tolerance for rounding, in square pixels and shares."""


class MeanIoUMetric(SampleMeanMetric[Polygons, Polygons]):
    """Mean intersection over union of segmented areas, a value for each question.

    All outlines of an answer together are its area. An answer without any outline has the value 0; where the truth has
    none either it is right and has the value 1 (gIoU of Liu et al., GRES, arXiv 2306.00968).
    """

    name: ClassVar[str] = "mean_iou"
    scores: ClassVar[tuple[Score, ...]] = (
        Score(name, "Mean IoU", "outlines: shared part of both areas", headline=True),
    )
    answer_kinds: ClassVar[tuple[AnswerKind, ...]] = (AnswerKind.POLYGONS,)
    default_for: ClassVar[tuple[AnswerKind | str, ...]] = (AnswerKind.POLYGONS,)

    def __init__(self) -> None:
        super().__init__()
        self._malformed = 0

    def update(self, prediction: Polygons, target: Polygons) -> None:
        """Take one sample.

        Args:
            prediction: the predicted outlines.
            target: the true ones, in pixels of the same image.
        """
        super().update(prediction, target)
        self._malformed += prediction.malformed

    def score(self, prediction: Polygons, target: Polygons) -> float:
        """Return the overlap of the two areas, in 0..1."""
        if not len(prediction) and not len(target):
            return 1.0
        return polygon_iou(prediction.xy, target.xy)

    def counts(self) -> dict[str, int]:
        """Return numbers of answers and of parts of them that could not be read."""
        return super().counts() | {"malformed_outlines": self._malformed}

    def reset(self) -> None:
        """Forget all samples."""
        super().reset()
        self._malformed = 0

    def describe(self) -> str:
        """Say what the score means."""
        return (
            "Mean over the questions of the area that answer and truth share, divided by the area that either covers. "
            "All outlines of an answer are one area; no answer counts as 0."
        )


class OCRRegionF1Metric(Metric[Quads, Quads]):
    """F1 of text regions: right if the region overlaps by at least half (IoU 0.5) and the text is equal.

    Each predicted region is matched with at most one true one, so that as many as possible are matched: their order
    does not matter. Texts are compared after Unicode composition with runs of blanks as one blank; case counts.
    The second score leaves the text out. Source: the end-to-end and localisation tasks of the ICDAR Robust Reading
    competitions, which fold case.
    """

    name: ClassVar[str] = "ocr_region_f1"
    answer_kinds: ClassVar[tuple[AnswerKind, ...]] = (AnswerKind.QUADS,)
    localisation: ClassVar[str] = "ocr_region_localisation_f1"
    scores: ClassVar[tuple[Score, ...]] = (
        Score(name, "Text regions, F1", "overlap at least 0.5 and equal text, each once", headline=True),
        Score(localisation, "Text regions, location", "F1 of the regions alone, whatever the text"),
    )
    default_for: ClassVar[tuple[AnswerKind | str, ...]] = (AnswerKind.QUADS,)

    def __init__(self) -> None:
        self._samples: list[tuple[int, int, int]] = []
        self._counts = {"written_regions": 0, "true_regions": 0, "malformed_regions": 0}

    def update(self, prediction: Quads, target: Quads) -> None:
        """Take one image.

        Args:
            prediction: the predicted texts with their regions.
            target: the true ones, in pixels of the same image.
        """
        overlap = _overlapping(prediction, target)
        given, expected = (
            np.array([compose(text) for text in quads.text], dtype=object) for quads in (prediction, target)
        )
        equal = given[:, None] == expected[None]
        self._samples.append((_matches(overlap & equal), _matches(overlap), len(prediction) + len(target)))
        self._counts["written_regions"] += len(prediction)
        self._counts["true_regions"] += len(target)
        self._counts["malformed_regions"] += prediction.malformed

    def compute(self) -> dict[str, float]:
        """Return F1 with and without the texts, in 0..1; nothing where there are no regions at all."""
        right, found, regions = (
            (sum(column) for column in zip(*self._samples, strict=True)) if self._samples else (0, 0, 0)
        )
        return {self.name: 2 * right / regions, self.localisation: 2 * found / regions} if regions else {}

    def values(self) -> tuple[float, ...]:
        """Return F1 of each image, texts included; NaN where there are no regions."""
        return tuple(2 * right / regions if regions else math.nan for right, _, regions in self._samples)

    def resampled(self, weights: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """Return both scores for each row of weights (r, n)."""
        right, found, regions = np.array(self._samples, dtype=np.int64).reshape(-1, 3).T
        return {
            self.name: weighted_ratio(weights, 2 * right, regions),
            self.localisation: weighted_ratio(weights, 2 * found, regions),
        }

    def counts(self) -> dict[str, int]:
        """Return numbers of regions: predicted ones, true ones, and parts that could not be read."""
        return dict(self._counts)

    def reset(self) -> None:
        """Forget all images."""
        self._samples.clear()
        self._counts = dict.fromkeys(self._counts, 0)

    def describe(self) -> str:
        """Say what the scores mean."""
        return (
            "F1 of text regions: right if the quadrilateral overlaps a true one by at least half (IoU 0.5) and the "
            "text is equal, each region once; the localisation score ignores the text. Case counts."
        )


def _overlapping(prediction: Quads, target: Quads) -> NDArray[np.bool_]:
    """Return for each pair (n, m) of quadrilaterals whether they overlap by at least half."""
    ours, theirs = prediction.xy.astype(np.float64)[:, None], target.xy.astype(np.float64)[None]
    # Two areas share no more than their bounding boxes do, and their union is no smaller than the larger one: this
    # leaves few of the n * m pairs to be computed.
    sides = np.minimum(ours.max(axis=2), theirs.max(axis=2)) - np.maximum(ours.min(axis=2), theirs.min(axis=2))
    most = sides.clip(min=0).prod(axis=-1) / np.maximum(_area(ours), _area(theirs)).clip(min=_SMALLEST)
    overlap: NDArray[np.bool_] = most >= _OVERLAP - _SMALLEST
    for first, second in zip(*overlap.nonzero(), strict=True):
        overlap[first, second] = polygon_iou([prediction.xy[first]], [target.xy[second]]) >= _OVERLAP
    return overlap


def _area(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the area of quadrilaterals (..., 4, 2); less than that of one whose edges cross."""
    following = np.roll(xy, -1, axis=-2)
    twice: NDArray[np.float64] = (xy[..., 0] * following[..., 1] - following[..., 0] * xy[..., 1]).sum(axis=-1)
    return np.abs(twice) / 2


def _matches(allowed: NDArray[np.bool_]) -> int:
    """Return how many pairs can be formed at most, each row and column in one pair."""
    from scipy.optimize import linear_sum_assignment  # a third of a second, only where words are compared

    return int(allowed[linear_sum_assignment(allowed, maximize=True)].sum())
