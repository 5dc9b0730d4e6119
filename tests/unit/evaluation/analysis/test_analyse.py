"""What a report says of boxes agrees with the metric: curves, confusions, calibration, sizes, crowding."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from florence2.codec.detections import Detections
from florence2.evaluation.analysis.breakdown import BoxGroup, by_crowding, by_size
from florence2.evaluation.analysis.calibration import calibration
from florence2.evaluation.analysis.confusion import Mistake, confusion
from florence2.evaluation.analysis.curves import RECALLS, precision_recall
from florence2.evaluation.matching import MatchedImage, match_image
from florence2.evaluation.metrics.detection import MeanAveragePrecisionMetric, rank_among_equals
from tests.builders import detections

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


@given(splits())
def test_the_area_under_each_curve_is_the_metrics_ap50(images: list[tuple[Detections, Detections]]) -> None:
    metric = MeanAveragePrecisionMetric()
    for image in images:
        metric.update(*image)
    curves = precision_recall(matched_images(images))
    if curves is None:
        assert metric.compute() == {}
        return
    assert len(curves.overall) == len(RECALLS) == 101
    assert np.mean(curves.overall) == pytest.approx(metric.compute()["map50"], abs=1e-12)
    for name, scores in metric.per_class().items():
        assert np.mean(curves.by_class[name]) == pytest.approx(scores["ap50"], abs=1e-12)


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


@given(splits())
def test_groups_hold_every_box_once(images: list[tuple[Detections, Detections]]) -> None:
    matched = matched_images(images)
    expected = [
        sum(len(image.target) for image in matched),
        sum(int(image.found.sum()) for image in matched),
        sum(len(image.prediction) for image in matched),
        sum(int(image.right.sum()) for image in matched),
    ]
    for groups in (by_size(matched), by_crowding(matched)):
        assert [sum(getattr(g, n) for g in groups) for n in ("truths", "found", "predictions", "right")] == expected
    assert sum(group.images for group in by_crowding(matched)) == len(matched)


@given(splits())
def test_calibration_is_over_every_predicted_box(images: list[tuple[Detections, Detections]]) -> None:
    found = calibration(matched_images(images))
    boxes = sum(len(prediction) for prediction, _ in images)
    assert (found is None) == (boxes == 0)
    if found:
        assert sum(one.boxes for one in found.bins) == boxes
        assert 0 <= found.error <= 1


def test_calibration_by_hand() -> None:
    target = detections(("ring", 0, 0, 10, 10), ("ring", 20, 0, 30, 10))
    guess = scored(
        detections(("ring", 0, 0, 10, 10), ("ring", 20, 0, 30, 10), ("ring", 50, 0, 60, 10)), 1.0, 0.625, 0.625
    )
    found = calibration([match_image(guess, target)])
    assert found is not None
    assert [(one.low, one.high, one.boxes, one.confidence, one.right) for one in found.bins] == [
        (0.6, 0.7, 2, 0.625, 0.5),
        (0.9, 1.0, 1, 1.0, 1.0),
    ]
    assert found.error == pytest.approx(2 / 3 * 0.125)


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


def test_sizes_are_cocos_and_crowds_count_truths() -> None:
    small, large = ("ring", 0, 0, 10, 10), ("ring", 0, 0, 200, 200)
    image = match_image(scored(detections(small), 0.5), detections(small, large))
    empty = match_image(scored(detections(small), 0.5), Detections.empty())
    sizes = by_size([image, empty])
    assert [(group.name.split()[0], group.recall, group.precision) for group in sizes] == [
        ("small", 1.0, 0.5),
        ("large", 0.0, None),
    ]
    assert by_crowding([image, empty]) == (BoxGroup("no box", 1, 0, 0, 1, 0), BoxGroup("2 boxes", 1, 2, 1, 1, 1))


def test_the_value_of_an_image_counts_found_missed_and_invented_boxes() -> None:
    ring = ("ring", 0.0, 0.0, 10.0, 10.0)
    assert match_image(Detections.empty(), Detections.empty()).f1 == 1.0
    assert match_image(detections(ring), detections(ring, ("dot", 0, 0, 9, 9))).f1 == pytest.approx(2 / 3)
    assert match_image(detections(ring), Detections.empty()).f1 == 0.0
