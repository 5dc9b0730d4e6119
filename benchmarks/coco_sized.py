"""Generated detections in the numbers of COCO's validation set, for the benchmarks of evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from florence2.codec.detections import Detections

__all__ = ["Pairs", "as_coco", "coco_sized"]

Pairs = Sequence[tuple[Detections, Detections]]
"""Prediction and truth of each image."""


def coco_sized(
    images: int = 5_000, classes: int = 80, truths: int = 36_000, found: int = 100, seed: int = 0
) -> list[tuple[Detections, Detections]]:
    """Invent predictions and truths.

    Classes are unevenly frequent and gather in images as in photographs: an image shows three of them. Four in ten
    predictions are shifted true boxes, most of them duplicates; the others are anywhere, half of them of a class that
    the image shows.

    Args:
        images: number of images.
        classes: number of classes.
        truths: true boxes in all.
        found: predictions on each image.
        seed: of the random numbers.

    Returns:
        Prediction and truth of each image.
    """
    random = np.random.default_rng(seed)
    names = np.array([f"class {number}" for number in range(classes)])
    frequency = 1 / np.arange(3, classes + 3)
    numbers = random.multinomial(truths, np.full(images, 1 / images))
    pairs = []
    for number in numbers:
        shown = random.choice(classes, 3, p=frequency / frequency.sum())
        corner, extent = random.uniform(0, 440, (number, 2)), np.exp(random.uniform(2, 5.3, (number, 2)))
        truth, kinds = np.hstack([corner, corner + extent]), random.choice(shown, number)
        copies = random.integers(0, number, int(0.4 * found) if number else 0)
        sides = np.tile(extent[copies], 2)
        near = truth[copies] + random.normal(0, 0.12, sides.shape) * sides * random.random((len(copies), 1))
        start = random.uniform(0, 440, (found - len(copies), 2))
        far = np.hstack([start, start + np.exp(random.uniform(2, 5.3, start.shape))])
        others = np.where(
            random.random(len(far)) < 0.5, random.choice(shown, len(far)), random.choice(classes, len(far))
        )
        scores = np.concatenate([random.beta(2, 2, len(near)), random.beta(1, 4, len(far))])
        boxes = np.vstack([near, far])
        boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2])
        labels = np.concatenate([kinds[copies], others])
        pairs.append(
            (
                Detections(boxes.astype(np.float32), tuple(names[labels].tolist()), scores.astype(np.float32)),
                Detections(truth.astype(np.float32), tuple(names[kinds].tolist())),
            )
        )
    return pairs


def as_coco(pairs: Pairs) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the same as a COCO data set and a COCO results list."""
    names = sorted({name for _, truth in pairs for name in truth.class_name})
    ids = {name: number for number, name in enumerate(names, start=1)}
    annotations: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for image_id, (prediction, truth) in enumerate(pairs, start=1):
        for detections, rows in ((truth, annotations), (prediction, results)):
            xyxy = detections.xyxy.astype(np.float64)
            xywh = np.hstack([xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]]).tolist()
            scores = [1.0] * len(xywh) if detections.confidence is None else detections.confidence.tolist()
            rows += [
                {"image_id": image_id, "category_id": ids[name], "bbox": box, "score": score}
                for name, box, score in zip(detections.class_name, xywh, scores, strict=True)
                if name in ids
            ]
    for number, row in enumerate(annotations, start=1):
        row.update(id=number, area=row["bbox"][2] * row["bbox"][3], iscrowd=0)
    dataset = {
        "images": [{"id": image_id} for image_id in range(1, len(pairs) + 1)],
        "categories": [{"id": number, "name": name} for name, number in ids.items()],
        "annotations": annotations,
    }
    return dataset, results
