"""Splits whose images have predicted and true boxes, for tests of what is counted over them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from florence2.codec.detections import Detections
from florence2.evaluation.matching import MatchedImage, match_image
from florence2.evaluation.metrics.detection import rank_among_equals

__all__ = ["CLASSES", "matched_images", "scored", "splits"]

CLASSES = ("ring", "dot", "bar", "t-shirt")


def scored(boxes: Detections, *scores: float) -> Detections:
    return Detections(boxes.xyxy, boxes.class_name, np.array(scores, dtype=np.float32))


@st.composite
def splits(draw: st.DrawFn) -> list[tuple[Detections, Detections]]:
    """Images whose predictions are the truth, moved, renamed, doubled and left out; scores repeat."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    images = []
    for _ in range(draw(st.integers(1, 8))):
        truths, guesses = (int(number) for number in rng.integers(0, 6, 2))
        corners = rng.integers(0, 60, (truths, 2))
        target = np.hstack([corners, corners + rng.integers(8, 60, (truths, 2))]).astype(np.float32)
        names = rng.choice(CLASSES, truths)
        if truths:
            indices = rng.integers(0, truths, guesses)
            moved = target[indices] + rng.choice([0, 1, 3, 6], (guesses, 4)).astype(np.float32)
            called = np.where(rng.random(guesses) < 0.7, names[indices], rng.choice([*CLASSES, "hat"], guesses))
        else:
            moved, called = np.tile(np.array([1, 1, 20, 20], np.float32), (guesses, 1)), rng.choice(CLASSES, guesses)
        scores = rng.choice([0.25, 0.5, 0.75, 1.0], guesses)
        images.append((scored(Detections(moved, tuple(called)), *scores), Detections(target, tuple(names))))
    return images


def matched_images(images: list[tuple[Detections, Detections]]) -> list[MatchedImage]:
    return [match_image(*image) for image in sorted(images, key=lambda image: rank_among_equals(*image))]
