"""Near-identical images: the same one saved again is found, another one is not."""

from __future__ import annotations

import base64
import io
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance

from florence2.images import near_duplicates
from florence2.images.near_duplicates import group_near_identical
from florence2.images.signatures import signature

CELLS = 176


def photograph(seed: int, size: tuple[int, int] = (160, 120), blobs: tuple[int, int] = (9, 12)) -> Image.Image:
    """Return an image of soft blobs."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (*blobs, 3), dtype=np.uint8))
    return coarse.resize(size, Image.Resampling.BICUBIC)


def drawing(colour: str = "red", corner: tuple[int, int] = (10, 12), side: int = 30) -> Image.Image:
    canvas = Image.new("RGB", (64, 64), "#e8e4d8")
    ImageDraw.Draw(canvas).rectangle((*corner, corner[0] + side, corner[1] + side), fill=colour)
    return canvas


def saved(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


def same(first: Image.Image, second: Image.Image) -> bool:
    groups = group_near_identical([signature(first), signature(second)])
    return bool(groups[0] == groups[1])


def text_of(cells: NDArray[Any]) -> str:
    return base64.b64encode(cells.astype(np.uint8).tobytes()).decode().rstrip("=")


@pytest.mark.parametrize("image", [photograph(1), drawing()], ids=["photograph", "drawing"])
def test_a_changed_copy_is_the_same(image: Image.Image) -> None:
    smaller = image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)
    larger = image.resize((image.width * 2, image.height * 2), Image.Resampling.BICUBIC)
    copies = [saved(image, 50), saved(image, 95), smaller, larger, saved(smaller, 80)]
    copies += [ImageEnhance.Brightness(image).enhance(factor) for factor in (0.97, 1.03)]
    assert [same(image, copy) for copy in copies] == [True] * len(copies)


def test_a_thin_frame_around_a_photograph_is_no_difference() -> None:
    image = photograph(2, (320, 240), (4, 5))
    canvas = Image.new("RGB", (image.width + 2, image.height + 2), "black")
    canvas.paste(image, (1, 1))
    assert same(image, canvas)


@pytest.mark.parametrize(
    "other",
    [drawing("blue"), drawing(corner=(18, 12)), drawing(side=22), photograph(1), Image.new("RGB", (64, 64), "#e8e4d8")],
    ids=["colour", "position", "size", "photograph", "empty"],
)
def test_another_drawing_is_another(other: Image.Image) -> None:
    assert not same(drawing(), other)


def test_photographs_differ_and_so_does_one_with_an_object_moved() -> None:
    images = [photograph(seed) for seed in range(12)]
    assert group_near_identical([signature(image) for image in images]).tolist() == list(range(12))
    moved = images[0].copy()
    moved.paste(images[0].crop((20, 20, 50, 50)), (90, 60))
    assert not same(images[0], moved)


def test_a_reduced_decode_gives_the_same() -> None:
    full = saved(photograph(3, (640, 480)), 90)
    reduced = saved(photograph(3, (640, 480)), 90)
    reduced.draft("RGB", (80, 60))
    assert reduced.size != full.size
    assert same(full, reduced)


def test_modes() -> None:
    image = drawing()
    assert same(image, image.convert("RGBA"))
    assert same(image, image.convert("P", palette=Image.Palette.ADAPTIVE))
    assert same(image.convert("L"), image.convert("L").convert("RGB"))
    clear = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    assert same(clear, Image.new("RGB", (40, 40), "white"))
    assert not same(clear, Image.new("RGB", (40, 40), "black"))


def test_empty_and_foreign_texts() -> None:
    one = signature(drawing())
    groups = group_near_identical(["", one, "", "???", one, "abcd", "???", "ü"]).tolist()
    assert groups == [0, 1, 2, 3, 1, 4, 3, 5]
    assert group_near_identical([]).tolist() == []
    assert group_near_identical(["", ""]).tolist() == [0, 1]


def test_groups_join_through_others() -> None:
    steps = [np.full(CELLS, 120) + step for step in (0, 10, 20, 60)]
    for cells in steps:
        cells[144:] = 128
    assert group_near_identical([text_of(cells) for cells in steps]).tolist() == [0, 0, 0, 1]


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.sampled_from([0.5, 3.0, 20.0]))
def test_the_sweep_finds_what_all_pairs_would(seed: int, count: int, contrast: float) -> None:
    rng = np.random.default_rng(seed)
    base = rng.normal(128, contrast, (max(1, count // 3), CELLS))
    gains = rng.uniform(0.92, 1.08, (count, 1))
    levels = (base[rng.integers(len(base), size=count)] - 128) * gains + 128 + rng.normal(0, 1.5, (count, CELLS))
    cells: NDArray[np.uint8] = levels.clip(0, 255).astype(np.uint8)
    found = group_near_identical([text_of(row) for row in cells])
    expected = np.arange(count)
    for first, second in combinations(range(count), 2):
        if near_duplicates._near_identical(cells[[first]], cells[[second]])[0]:
            expected[expected == expected[second]] = expected[first]
    assert [int((found == label).sum()) for label in found] == [int((expected == label).sum()) for label in expected]
    for label in np.unique(expected):
        assert len(set(found[expected == label].tolist())) == 1


def test_many_blank_images_take_no_time() -> None:
    blank = [signature(Image.new("RGB", (32, 32), (level, level, level))) for level in range(0, 256, 5)] * 2000
    groups = group_near_identical(blank)
    assert set(groups.tolist()) == {0}  # each is within reach of the next
