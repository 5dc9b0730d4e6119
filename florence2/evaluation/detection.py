"""``MeanAveragePrecisionMetric``: class-aware COCO mAP over the whole split.

Conventions, each of which changes the figure:

- A detection counts only if its class name equals that of the truth, letter by letter.
- Confidence ranks the detections, so it is required; all ones would make the figure an accident of order.
- Equal confidences within an image rank as the model wrote them. Images rank by a digest of their content, so
  that neither the order of updates nor the quality of an image decides between equals.
- Detections of a class that never occurs in the ground truth do not lower the mean, as in COCO, where a class
  without ground truth has no average precision; ``counts()["predictions_of_unknown_classes"]`` tells how many.
- An image without truth still matters: detections on it are false positives of their class.
- Sizes are pixels of the image as it was given: in a 64 x 64 picture no box is large.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any, ClassVar

import numpy as np

from florence2.codec.detections import Detections
from florence2.errors import AnswerError
from florence2.evaluation.coco import CocoScores, coco_scores
from florence2.evaluation.metric import Metric

__all__ = ["MeanAveragePrecisionMetric", "rank_among_equals"]


class MeanAveragePrecisionMetric(Metric[Detections, Detections]):
    """COCO mean average precision (twelve figures) and average precision of each class."""

    name: ClassVar[str] = "mean_average_precision"

    def __init__(self) -> None:
        self._images: list[tuple[Detections, Detections]] = []
        self._scores: CocoScores | None = None

    def update(self, prediction: Detections, target: Detections) -> None:
        """Take one image.

        Args:
            prediction: the boxes that the model found, with confidence.
            target: the true boxes; their confidence is not read.

        Raises:
            AnswerError: a prediction without confidence, or a number that is not finite.
        """
        if len(prediction) and prediction.confidence is None:
            raise AnswerError("predicted boxes need a confidence: mAP ranks them by it, and all ones rank nothing")
        for what, detections in (("predicted", prediction), ("true", target)):
            if not np.isfinite(detections.xyxy).all():
                raise AnswerError(f"a {what} box has a coordinate that is not finite: {detections.xyxy.tolist()}")
        if prediction.confidence is not None and not np.isfinite(prediction.confidence).all():
            raise AnswerError(f"a confidence is not finite: {prediction.confidence.tolist()}")
        self._images.append((prediction, target))
        self._scores = None

    def compute(self) -> dict[str, float]:
        """Return ``map``, ``map50``, ``map75``, ``map_small``, ... ``mar_100``, ... as far as they are defined.

        Without any detection the figures are 0; without any ground truth there are none.
        """
        return dict(self._evaluate().figures)

    def per_class(self) -> dict[str, dict[str, float]]:
        """Return ``ap``, ``ap50``, ``ap75``, ``truths`` and ``predictions`` of each class of the ground truth."""
        truths, predictions = self._count_classes()
        scores = self._evaluate().per_class
        return {
            name: {**scores[index], "truths": float(truths[name]), "predictions": float(predictions[name])}
            for index, name in enumerate(sorted(truths), start=1)
        }

    def counts(self) -> dict[str, int]:
        """Return numbers of images, truths, predictions and predictions of classes without ground truth."""
        truths, predictions = self._count_classes()
        return {
            "images": len(self._images),
            "truths": truths.total(),
            "predictions": predictions.total(),
            "predictions_of_unknown_classes": sum(n for name, n in predictions.items() if name not in truths),
        }

    def reset(self) -> None:
        """Forget all images."""
        self._images.clear()
        self._scores = None

    def describe(self) -> str:
        """Say what the figures mean."""
        return (
            "Mean average precision as COCO defines it, over the whole split: a box is right if its class name is "
            "equal and it overlaps the true one enough (IoU 0.5 for map50, the mean over 0.50 to 0.95 for map). "
            "Classes without ground truth do not count."
        )

    def _count_classes(self) -> tuple[Counter[str], Counter[str]]:
        truths = Counter(name for _, target in self._images for name in target.class_name)
        predictions = Counter(name for prediction, _ in self._images for name in prediction.class_name)
        return truths, predictions

    def _evaluate(self) -> CocoScores:
        if self._scores is None:
            self._scores = coco_scores(*self._as_coco())
        return self._scores

    def _as_coco(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return the images as a COCO data set and results list; category ids are the sorted class names from 1."""
        truths, _ = self._count_classes()
        category_ids = {name: index for index, name in enumerate(sorted(truths), start=1)}
        annotations: list[dict[str, Any]] = []
        results: list[dict[str, Any]] = []
        for image_id, (prediction, target) in enumerate(
            sorted(self._images, key=lambda image: rank_among_equals(*image)), start=1
        ):
            for box in _boxes(target, category_ids):
                width, height = box["bbox"][2:]
                # Identifiers start at 1: COCO's matching reads 0 as "no match".
                number = len(annotations) + 1
                annotations.append({"id": number, "image_id": image_id, "area": width * height, "iscrowd": 0, **box})
            results.extend({"image_id": image_id, **box} for box in _boxes(prediction, category_ids))
        dataset = {
            "images": [{"id": image_id} for image_id in range(1, len(self._images) + 1)],
            "categories": [{"id": index, "name": name} for name, index in category_ids.items()],
            "annotations": annotations,
        }
        return dataset, results


def _boxes(detections: Detections, category_ids: dict[str, int]) -> list[dict[str, Any]]:
    """Return the boxes of known classes as COCO writes them, x, y, width, height."""
    xyxy = detections.xyxy.astype(np.float64)
    xywh = np.hstack([xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]]).tolist()
    scores = [1.0] * len(xywh) if detections.confidence is None else detections.confidence.tolist()
    return [
        {"category_id": category_ids[name], "bbox": box, "score": score}
        for name, box, score in zip(detections.class_name, xywh, scores, strict=True)
        if name in category_ids
    ]


def rank_among_equals(prediction: Detections, target: Detections) -> tuple[bytes, bytes]:
    """Return a key that orders images by content: the truth first, so that two models meet the same order."""
    return _digest(target), _digest(prediction)


def _digest(detections: Detections) -> bytes:
    digest = hashlib.blake2b(repr(detections.class_name).encode())
    digest.update(np.ascontiguousarray(detections.xyxy).tobytes())
    if detections.confidence is not None:
        digest.update(np.ascontiguousarray(detections.confidence).tobytes())
    return digest.digest()
