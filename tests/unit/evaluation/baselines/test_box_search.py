"""The search of constant boxes for one class."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from florence2.codec.detections import box_iou
from florence2.evaluation.baselines.box_search import candidates, search_boxes


def test_one_box_finds_objects_that_are_in_the_middle_of_each_image() -> None:
    random = np.random.default_rng(1)
    objects = np.array([0.2, 0.2, 0.8, 0.8]) + random.normal(0, 0.02, (100, 4))
    (found, *others) = search_boxes(objects, np.arange(100), images=100)
    assert found.precision == pytest.approx(1.0)
    assert found.gain == pytest.approx(1.0)
    assert others == []


def test_boxes_are_in_the_order_of_how_often_they_are_right() -> None:
    often, seldom = np.array([0.0, 0.0, 0.4, 0.4]), np.array([0.5, 0.5, 1.0, 1.0])
    objects = np.concatenate([np.tile(often, (30, 1)), np.tile(seldom, (10, 1))])
    found = search_boxes(objects, np.arange(40), images=80)
    assert [box.xyxy for box in found] == [tuple(often), tuple(seldom)]
    assert [box.precision for box in found] == [30 / 80, 10 / 80]
    # Precision at the end of the second block: 40 hits of 160 boxes.
    assert [box.gain for box in found] == pytest.approx([0.75 * 30 / 80, 0.25 * 40 / 160])


def test_two_objects_of_an_image_need_two_boxes() -> None:
    objects = np.tile([[0.0, 0.0, 0.4, 0.4], [0.0, 0.0, 0.41, 0.4]], (5, 1))
    assert len(search_boxes(objects, np.repeat(np.arange(5), 2), images=5)) == 2


def test_no_more_boxes_than_allowed_are_found_and_the_same_ones_each_time() -> None:
    random = np.random.default_rng(2)
    corners = random.uniform(0, 0.8, (3000, 2))
    objects = np.concatenate([corners, corners + random.uniform(0.05, 0.2, (3000, 2))], axis=1)
    image = random.integers(0, 500, 3000)
    found = search_boxes(objects, image, images=500, most=4)
    assert len(found) == 4
    assert found == search_boxes(objects, image, images=500, most=4)
    assert all(later.precision <= earlier.precision for earlier, later in itertools.pairwise(found))


def test_candidates_are_boxes_with_their_corners_in_order() -> None:
    random = np.random.default_rng(3)
    corners = random.uniform(0, 0.5, (200, 2))
    objects = np.concatenate([corners, corners + random.uniform(0.05, 0.5, (200, 2))], axis=1)
    chosen = candidates(objects)
    assert (chosen[:, :2] <= chosen[:, 2:]).all()
    assert 30 < len(chosen) <= 63
    assert np.array_equal(candidates(objects[:1]), objects[:1].round(6))


def test_the_first_box_is_better_than_every_candidate() -> None:
    random = np.random.default_rng(0)
    centres, sizes = random.normal(0.5, 0.12, (200, 2)), random.uniform(0.25, 0.9, (200, 2))
    objects = np.clip(np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1), 0, 1)
    (first, *_) = search_boxes(objects, np.arange(200), images=200)
    best_candidate = (box_iou(candidates(objects)[:, None], objects[None]) >= 0.5).mean(axis=1).max()
    assert first.precision > 1.05 * best_candidate
