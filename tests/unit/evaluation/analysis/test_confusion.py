"""Each box is counted once in the confusion matrix."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from florence2.codec.detections import Detections
from florence2.evaluation.analysis.confusion import Mistake, confusion
from florence2.evaluation.matching import match_image
from tests.builders import detections
from tests.splits import CLASSES, matched_images, scored, splits


@given(splits(), st.sampled_from([1, 2, 24]))
def test_confusions_count_each_box_once(images: list[tuple[Detections, Detections]], most: int) -> None:
    truths = Counter(name for _, target in images for name in target.class_name)
    guesses = Counter(name for prediction, _ in images for name in prediction.class_name)
    matched = matched_images(images)
    found = confusion(matched, most)
    if found is None:
        assert not truths
        return
    table = np.array(found.counts)
    assert table[:-1].sum() == truths.total()
    assert table[:, :-1].sum() == guesses.total()
    assert table[-1, -1] == 0
    for index, name in enumerate(found.rows[:-1]):
        if name in truths:
            assert table[index].sum() == truths[name]
            assert table[:, index].sum() == guesses[name]
    if most == 24:
        assert np.trace(table[:-1, : len(found.rows) - 1]) == sum(image.right.sum() for image in matched)


def test_confusions_by_hand() -> None:
    """A ring called dot, a ring missed, a hat where nothing is, and a right dot seen twice."""
    target = detections(("ring", 0, 0, 10, 10), ("ring", 20, 0, 30, 10), ("dot", 40, 0, 50, 10))
    guess = scored(
        detections(("dot", 0, 0, 10, 10), ("hat", 80, 80, 90, 90), ("dot", 40, 0, 50, 10), ("dot", 40, 0, 50, 11)),
        *(0.5, 0.5, 0.9, 0.4),
    )
    found = confusion([match_image(guess, target)])
    assert found is not None
    assert found.rows == ("dot", "ring", "(background)")
    assert found.columns == ("dot", "ring", "(no class of the set)", "(background)")
    assert found.counts == ((1, 0, 0, 0), (1, 0, 0, 1), (1, 0, 1, 0))
    assert found.mistakes == (Mistake("ring", "dot", 1),)


def test_classes_beyond_the_limit_share_a_row() -> None:
    target = detections(*((name, 20 * i, 0, 20 * i + 10, 10) for i, name in enumerate(CLASSES)))
    guess = scored(Detections(target.xyxy, ("dot", "dot", "bar", "t-shirt")), 0.9, 0.9, 0.9, 0.9)
    found = confusion([match_image(guess, target)], most=2)
    assert found is not None
    assert found.rows == ("dot", "ring", "(other classes)", "(background)")
    assert found.counts[1][:3] == (1, 0, 0)
    assert found.counts[2][:3] == (0, 0, 2)
