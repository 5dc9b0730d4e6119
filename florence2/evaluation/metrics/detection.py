"""``MeanAveragePrecisionMetric``: class-aware COCO mAP over the whole split.

Conventions, each of which changes the score:

- A detection counts only if its class name equals that of the truth, letter by letter.
- Confidence ranks the detections, so it is required: with equal ones the score would depend on their order alone.
- Equal confidences within an image rank in the order of the answer. Images rank by a digest of their content, so
  that neither the order of updates nor the quality of an image decides between equals.
- Detections of a class that never occurs in the ground truth do not lower the mean, as in COCO, where a class
  without ground truth has no average precision; ``counts()["predictions_of_unknown_classes"]`` counts them.
- An image without truth still matters: detections on it are false positives of their class.
- Sizes are pixels of the image as it was given: in a 64 x 64 image no box is large.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from florence2.codec import AnswerKind, Detections
from florence2.errors import AnswerError
from florence2.evaluation.metrics.coco import CocoScores, resampled_classes, resampled_scores, scores_of
from florence2.evaluation.metrics.coco_matching import FoundBoxes, Matches, TrueBoxes, match_boxes
from florence2.evaluation.metrics.metric import Metric
from florence2.evaluation.metrics.score import Score

__all__ = ["MeanAveragePrecisionMetric", "rank_among_equals"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class MeanAveragePrecisionMetric(Metric[Detections, Detections]):
    """COCO mean average precision (twelve scores) and average precision of each class."""

    name: ClassVar[str] = "mean_average_precision"
    scores: ClassVar[tuple[Score, ...]] = (
        Score("map50", "mAP50", "boxes: right class, overlap at least 0.5", headline=True),
        Score("map", "mAP", "boxes: mean over overlaps 0.50 to 0.95", headline=True),
        Score("map75", "mAP75", "boxes: overlap at least 0.75"),
        Score("map_small", "mAP, small", "truths below 32 x 32 pixels"),
        Score("map_medium", "mAP, medium", "from 32 x 32 to 96 x 96 pixels"),
        Score("map_large", "mAP, large", "from 96 x 96 pixels"),
        Score("mar_1", "Recall, 1 box", "one box an image and class"),
        Score("mar_10", "Recall, 10 boxes", "at most ten boxes an image and class"),
        Score("mar_100", "Recall, 100 boxes", "at most 100 boxes an image and class"),
        Score("mar_small", "Recall, small", "truths below 32 x 32 pixels"),
        Score("mar_medium", "Recall, medium", "from 32 x 32 to 96 x 96 pixels"),
        Score("mar_large", "Recall, large", "from 96 x 96 pixels"),
    )
    answer_kinds: ClassVar[tuple[AnswerKind, ...]] = (AnswerKind.BOXES, AnswerKind.PROPOSALS)
    default_for: ClassVar[tuple[AnswerKind | str, ...]] = (AnswerKind.BOXES, AnswerKind.PROPOSALS)

    def __init__(self) -> None:
        self._images: list[tuple[Detections, Detections]] = []
        self._scores: CocoScores | None = None
        self._matched: tuple[Matches, Ints] | None = None

    def update(self, prediction: Detections, target: Detections) -> None:
        """Take one image.

        Args:
            prediction: the boxes that the model found, with confidence.
            target: the true boxes; their confidence is not read.

        Raises:
            AnswerError: a prediction without confidence, or a number that is not finite.
        """
        if len(prediction) and prediction.confidence is None:
            raise AnswerError("predicted boxes need a confidence: mAP ranks them by it")
        for what, detections in (("predicted", prediction), ("true", target)):
            if not np.isfinite(detections.xyxy).all():
                raise AnswerError(f"a {what} box has a coordinate that is not finite: {detections.xyxy.tolist()}")
        if prediction.confidence is not None and not np.isfinite(prediction.confidence).all():
            raise AnswerError(f"a confidence is not finite: {prediction.confidence.tolist()}")
        self._images.append((prediction, target))
        self._scores = self._matched = None

    def compute(self) -> dict[str, float]:
        """Return ``map``, ``map50``, ``map75``, ``map_small``, ... ``mar_100``, ... as far as they are defined.

        Without any detection the scores are 0; without any ground truth there are none.
        """
        return dict(self._evaluate().scores)

    def per_class(self) -> dict[str, dict[str, float]]:
        """Return ``ap``, ``ap50``, ``ap75``, ``truths`` and ``predictions`` of each class of the ground truth."""
        truths, predictions = self._count_classes()
        scores = self._evaluate().per_class
        return {
            name: {**scores[index], "truths": float(truths[name]), "predictions": float(predictions[name])}
            for index, name in enumerate(sorted(truths))
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
        self._scores = self._matched = None

    def describe(self) -> str:
        """Say what the scores mean."""
        return (
            "Mean average precision as COCO defines it, over the whole split: a box is right if its class name is "
            "equal and it overlaps the true one enough (IoU 0.5 for map50, the mean over 0.50 to 0.95 for map). "
            "Classes without ground truth do not count."
        )

    def resampled(self, weights: Ints) -> dict[str, Floats]:
        """Return the scores of resamples of the images, exact: those of a split with as many copies of each image.

        Copies follow the original, so that between equal confidences they do not change the order of images.
        """
        scores = resampled_scores(*self._weighted(weights))
        return {name: scores[name] for name in self.compute()}

    def resampled_per_class(self, weights: Ints) -> dict[str, dict[str, Floats]]:
        """Return ``ap``, ``ap50`` and ``ap75`` of each class of the ground truth on resamples of the images."""
        classes = sorted(self._count_classes()[0])
        return {classes[index]: scores for index, scores in resampled_classes(*self._weighted(weights)).items()}

    def _weighted(self, weights: Ints) -> tuple[Matches, Ints]:
        """Return the matched boxes, and the weights of the images in their order."""
        matches, order = self._match()
        if weights.shape[1:] != order.shape:
            raise ValueError(f"weights must have shape (r, {len(order)}), not {weights.shape}")
        return matches, weights.take(order, axis=1)

    def _count_classes(self) -> tuple[Counter[str], Counter[str]]:
        truths = Counter(name for _, target in self._images for name in target.class_name)
        predictions = Counter(name for prediction, _ in self._images for name in prediction.class_name)
        return truths, predictions

    def _evaluate(self) -> CocoScores:
        if self._scores is None:
            self._scores = scores_of(self._match()[0])
        return self._scores

    def _match(self) -> tuple[Matches, Ints]:
        """Return the matched boxes, classes by the index of their sorted names, and the update of each image."""
        if self._matched is None:
            order = sorted(range(len(self._images)), key=lambda index: rank_among_equals(*self._images[index]))
            classes = sorted(self._count_classes()[0])
            predictions, targets = ([self._images[index][side] for index in order] for side in (0, 1))
            image, category, xywh, score = _columns(predictions, classes)
            found = FoundBoxes(image, category, xywh, score)
            image, category, xywh, _ = _columns(targets, classes)
            every = np.ones(len(image), dtype=np.bool_)
            truth = TrueBoxes(image, category, xywh, xywh[:, 2] * xywh[:, 3], crowd=~every, numbered=every)
            matches = match_boxes(truth, found, len(order), len(classes))
            self._matched = matches, np.array(order, dtype=np.int64)
        return self._matched


def _columns(detections: Sequence[Detections], classes: Sequence[str]) -> tuple[Ints, Ints, Floats, Floats]:
    """Return image, class, x, y, width, height and score of the boxes of known classes."""
    indices = {name: index for index, name in enumerate(classes)}
    image = np.repeat(np.arange(len(detections)), [len(boxes) for boxes in detections])
    category = np.array([indices.get(name, -1) for boxes in detections for name in boxes.class_name], dtype=np.int64)
    xyxy = np.concatenate([np.zeros((0, 4)), *(boxes.xyxy for boxes in detections)])
    score = np.concatenate(
        [np.zeros(0), *(np.ones(len(b)) if b.confidence is None else b.confidence for b in detections)]
    )
    known = category >= 0
    xywh = np.hstack([xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]])
    return image[known], category[known], xywh[known], score[known]


def rank_among_equals(prediction: Detections, target: Detections) -> tuple[bytes, bytes]:
    """Return a key that orders images by content: the truth first, so that two models meet the same order."""
    return _digest(target), _digest(prediction)


def _digest(detections: Detections) -> bytes:
    digest = hashlib.blake2b(repr(detections.class_name).encode())
    digest.update(np.ascontiguousarray(detections.xyxy).tobytes())
    if detections.confidence is not None:
        digest.update(np.ascontiguousarray(detections.confidence).tobytes())
    return digest.digest()
