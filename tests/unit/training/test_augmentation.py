"""Augmented images: every box still covers its object, and no right answer becomes a wrong one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from florence2.codec.answers import format_detections
from florence2.codec.detections import Detections
from florence2.codec.grammar import format_spans
from florence2.codec.locations import BINS, dequantize
from florence2.codec.tasks import TASKS, AnswerKind, Task
from florence2.config import AugmentationConfig
from florence2.training.augmentation import augment
from florence2.training.box_order import single_boxes

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
FLIP, ALL = AugmentationConfig(flip=1.0), AugmentationConfig(flip=0.5, crop=1.0, light=0.2)


def scene(size: tuple[int, int], seed: int) -> tuple[Image.Image, str]:
    """Paint three rectangles that do not overlap, each in a third of the width, and return their answer."""
    rng = np.random.default_rng(seed)
    width, height = size
    pixels = np.full((height, width, 3), 128, np.uint8)
    rows = []
    for index, colour in enumerate(COLOURS.values()):
        left, right = np.sort(rng.choice(width // 3 + 1, 2, replace=False)) + index * (width // 3)
        top, bottom = np.sort(rng.choice(height + 1, 2, replace=False))
        pixels[top:bottom, left:right] = colour
        rows.append([left, top, right, bottom])
    boxes = Detections(np.array(rows, np.float32), tuple(COLOURS))
    return Image.fromarray(pixels), format_detections(boxes, size)


def extents(image: Image.Image) -> dict[str, list[int]]:
    """Return where each colour is: x_min, y_min, x_max, y_max in pixels, the last two exclusive."""
    pixels = np.asarray(image).astype(int)
    found = {}
    for channel, name in enumerate(COLOURS):
        others = np.delete(pixels, channel, axis=2).max(axis=2)
        y, x = np.nonzero(pixels[..., channel] - others > 60)
        found[name] = [x.min(), y.min(), x.max() + 1, y.max() + 1]
    return found


@settings(max_examples=60)
@given(width=st.integers(9, 120), height=st.integers(4, 120), seed=st.integers(0, 10**6))
def test_every_box_still_covers_its_object(width: int, height: int, seed: int) -> None:
    """To within one location bin and one pixel; nothing of an object is cut off."""
    image, suffix = scene((width, height), seed)
    before = extents(image)
    changed, answer = augment(image, TASKS["<OD>"], "<OD>", suffix, ALL, np.random.default_rng(seed))
    after = extents(changed)
    for name, bins in single_boxes(answer):
        # Twice quantised: half a bin of the first image, half of the second, which is the smaller one.
        tolerance = np.array([width, height] * 2) / BINS + 1
        error = np.abs(dequantize([bins], changed.size)[0] - after[name])
        assert (error <= tolerance).all(), (name, error)
        sizes = [np.subtract(box[name][2:], box[name][:2]) for box in (before, after)]
        assert (sizes[0] == sizes[1]).all()
    assert [name for name, _ in single_boxes(answer)] == list(COLOURS)


def test_the_changes_do_happen() -> None:
    image, suffix = scene((90, 60), 1)
    changed = [augment(image, TASKS["<OD>"], "<OD>", suffix, ALL, np.random.default_rng(seed)) for seed in range(20)]
    assert len({each.size for each, _ in changed}) > 5
    assert len({answer for _, answer in changed}) > 10
    assert min(each.width for each, _ in changed) < 75
    starts = {single_boxes(answer)[0][1][0] < single_boxes(answer)[2][1][0] for _, answer in changed}
    assert starts == {True, False}


@settings(max_examples=25)
@given(
    bins=st.lists(st.tuples(*[st.integers(0, 999)] * 4), max_size=5),
    width=st.integers(1, 20),
    height=st.integers(1, 20),
)
def test_to_flip_twice_is_to_do_nothing(bins: list[tuple[int, ...]], width: int, height: int) -> None:
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
    suffix = format_spans([(f"tile {index}", box) for index, box in enumerate(bins)])
    once, mirrored = augment(image, TASKS["<OD>"], "<OD>", suffix, FLIP, rng)
    twice, again = augment(once, TASKS["<OD>"], "<OD>", mirrored, FLIP, rng)
    assert again == suffix
    assert np.array_equal(np.asarray(twice), np.asarray(image))
    assert np.array_equal(np.asarray(once), np.asarray(image)[:, ::-1])


@settings(max_examples=25)
@given(bins=st.lists(st.tuples(*[st.integers(0, 999)] * 4), max_size=3), seed=st.integers(0, 10**6))
def test_a_cut_leaves_an_image_and_boxes_inside_it(bins: list[tuple[int, ...]], seed: int) -> None:
    boxes = [(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in bins]
    random = np.random.default_rng(seed)
    image = Image.new("RGB", (int(random.integers(1, 40)), int(random.integers(1, 40))))
    suffix = format_spans([("tile", box) for box in boxes])
    changed, answer = augment(image, TASKS["<OD>"], "<OD>", suffix, AugmentationConfig(crop=1.0), random)
    assert 1 <= changed.width <= image.width
    assert 1 <= changed.height <= image.height
    moved = [box for _, box in single_boxes(answer)]
    assert len(moved) == len(boxes)
    for before, (left, top, right, bottom) in zip(boxes, moved, strict=True):
        assert 0 <= left <= right < BINS
        assert 0 <= top <= bottom < BINS
        # What is cut off makes boxes a larger share of their image; a bin is lost by rounding.
        assert right - left >= before[2] - before[0] - 1
        assert bottom - top >= before[3] - before[1] - 1


def test_a_box_over_the_whole_image_cannot_be_cut() -> None:
    image, suffix = Image.new("RGB", (50, 40)), "sky<loc_0><loc_0><loc_999><loc_999>"
    for seed in range(10):
        changed, answer = augment(
            image, TASKS["<OD>"], "<OD>", suffix, AugmentationConfig(crop=1.0), np.random.default_rng(seed)
        )
        assert (changed.size, answer) == (image.size, suffix)


def test_a_cut_leaves_the_whole_of_the_bins_in_which_a_box_ends() -> None:
    """In a large image a bin is several pixels, and the object begins anywhere in it."""
    pixels = np.zeros((40, 4000, 3), np.uint8)
    pixels[:, 1900:2100] = COLOURS["red"]
    suffix = format_detections(Detections(np.array([[1900, 0, 2100, 40]], np.float32), ("red",)), (4000, 40))
    config = AugmentationConfig(crop=1.0)
    widths = []
    for seed in range(60):
        changed, _ = augment(
            Image.fromarray(pixels), TASKS["<OD>"], "<OD>", suffix, config, np.random.default_rng(seed)
        )
        widths.append(changed.width)
        assert (np.asarray(changed)[0, :, 0] == 255).sum() == 200
    assert min(widths) < 1500


def test_no_more_than_the_share_is_cut_off_a_side() -> None:
    image = Image.new("RGB", (1000, 500))
    cut = [
        augment(image, TASKS["<OD>"], "<OD>", "", AugmentationConfig(crop=0.2), np.random.default_rng(s))[0]
        for s in range(50)
    ]
    assert 800 <= min(each.width for each in cut) < 850
    assert 400 <= min(each.height for each in cut) < 425


@pytest.mark.parametrize("task", [task for task in TASKS.values() if task.answer is not AnswerKind.BOXES])
def test_answers_that_are_no_boxes_keep_image_and_text_in_place(task: Task) -> None:
    """Mirrored text cannot be read, and what a question is about may be cut off."""
    prefix = task.token + "what?" * task.takes_input
    image, suffix = scene((60, 40), 0)[0], "a red tile<loc_1><loc_2>"
    config = AugmentationConfig(flip=1.0, crop=1.0)
    changed, answer = augment(image, TASKS.task_of(prefix), prefix, suffix, config, np.random.default_rng(0))
    assert answer == suffix
    assert np.array_equal(np.asarray(changed), np.asarray(image))
    lit, answer = augment(
        image, TASKS.task_of(prefix), prefix, suffix, AugmentationConfig(light=0.5), np.random.default_rng(0)
    )
    assert answer == suffix
    assert lit.size == image.size
    assert not np.array_equal(np.asarray(lit), np.asarray(image))


@pytest.mark.parametrize(
    ("prefix", "name", "mirrored"),
    [
        ("<OD>", "tile", True),
        ("<OD>", "bright tile", True),
        ("<OD>", "left hand", False),
        ("<OD>", "turn_left", False),
        ("<OD>", "ArrowRight", False),
        ("<OD>", "arrow, top-right", False),
        ("<OD>", "turn clockwise", False),
        ("<CAPTION_TO_PHRASE_GROUNDING>a cat beside a dog", "a cat", True),
        ("<CAPTION_TO_PHRASE_GROUNDING>the Left of two cats", "cat", False),
        ("<OPEN_VOCABULARY_DETECTION>the rightmost cat", "cat", False),
    ],
)
def test_no_image_is_mirrored_where_a_word_names_a_side(prefix: str, name: str, mirrored: bool) -> None:
    image = scene((60, 40), 0)[0]
    suffix = f"{name}<loc_100><loc_200><loc_300><loc_400>"
    changed, answer = augment(image, TASKS.task_of(prefix), prefix, suffix, FLIP, np.random.default_rng(0))
    assert (answer != suffix) == mirrored
    assert np.array_equal(np.asarray(changed), np.asarray(image)) != mirrored
    if mirrored:
        assert single_boxes(answer) == [(name, (699, 200, 899, 400))]


def test_without_settings_nothing_changes() -> None:
    image, suffix = scene((60, 40), 0)
    changed, answer = augment(image, TASKS["<OD>"], "<OD>", suffix, AugmentationConfig(), np.random.default_rng(0))
    assert answer == suffix
    assert np.array_equal(np.asarray(changed), np.asarray(image))


def test_one_setting_does_not_change_what_another_draws() -> None:
    """So that a study of one of them compares like with like."""
    image, suffix = scene((60, 40), 0)
    only, both = (
        augment(
            image, TASKS["<OD>"], "<OD>", suffix, AugmentationConfig(crop=0.5, light=light), np.random.default_rng(3)
        )
        for light in (0.0, 0.3)
    )
    assert only[0].size == both[0].size != image.size
    assert only[1] == both[1]


def test_light_keeps_within_its_share() -> None:
    image = Image.new("RGB", (4, 4), (100, 100, 100))
    config = AugmentationConfig(light=0.2)
    lit = [augment(image, TASKS["<OD>"], "<OD>", "", config, np.random.default_rng(seed))[0] for seed in range(60)]
    means = [np.asarray(each).mean() for each in lit]
    assert 79 <= min(means) < 90
    assert 110 < max(means) <= 121


def test_an_even_share_of_images_is_mirrored() -> None:
    image, suffix = scene((60, 40), 0)
    config = AugmentationConfig(flip=0.5)
    flips = [
        augment(image, TASKS["<OD>"], "<OD>", suffix, config, np.random.default_rng(s))[1] != suffix for s in range(100)
    ]
    assert 35 <= sum(flips) <= 65
