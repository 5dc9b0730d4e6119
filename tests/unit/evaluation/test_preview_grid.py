"""The grid of images with answers: everything is on it, and nothing leaves its cell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from florence2.codec.detections import Detections
from florence2.evaluation.preview_grid import draw_preview_grid
from florence2.images.drawing import class_colours
from florence2.inference.generation import Prediction
from florence2.model.processing import Sample
from tests.builders import write_image

CELL, MARGIN, CAPTION = 320, 12, 57
GREEN = (10, 200, 10)


def grid_of(tmp_path: Path, *prefixes: str, size: tuple[int, int] = (80, 40), text: str = "an answer") -> Image.Image:
    samples = [
        Sample(write_image(tmp_path / f"{n}.png", size, GREEN), prefix, "tile<loc_0><loc_0><loc_499><loc_999>", size)
        for n, prefix in enumerate(prefixes)
    ]
    box = Detections(np.array([[size[0] / 2, 0, size[0], size[1]]], np.float32), ("other",), np.ones(1, np.float32))
    return draw_preview_grid(samples, [Prediction(text, box if prefix == "<OD>" else None) for prefix in prefixes])


def has_image(grid: Image.Image, row: int, column: int) -> bool:
    x = MARGIN + column * (CELL + MARGIN) + CELL // 4
    y = MARGIN + row * (CELL + MARGIN + CAPTION) + CAPTION + 60
    return x < grid.width and grid.getpixel((x, y)) == GREEN


@pytest.mark.parametrize(
    ("prefixes", "cells"),
    [
        (["<OD>"], [2]),
        (["<CAPTION>"], [1]),
        (["<OD>", "<OD>"], [4]),
        (["<OD>", "<CAPTION>", "<OD>"], [3, 2]),
        (["<CAPTION>"] * 9, [4, 4, 1]),
    ],
)
def test_boxes_are_drawn_twice_and_side_by_side(tmp_path: Path, prefixes: list[str], cells: list[int]) -> None:
    grid = grid_of(tmp_path, *prefixes)
    assert grid.width == MARGIN + max(cells) * (CELL + MARGIN)
    assert grid.height == MARGIN + len(cells) * (CELL + MARGIN + CAPTION)
    found = [sum(has_image(grid, row, column) for column in range(4)) for row in range(len(cells))]
    assert found == cells


@pytest.mark.parametrize("size", [(80, 40), (320, 160), (640, 320), (1234, 617)])
def test_boxes_are_where_they_belong_whatever_the_size_of_the_image(tmp_path: Path, size: tuple[int, int]) -> None:
    """The right box ends in the middle; the answered one begins there."""
    grid = grid_of(tmp_path, "<OD>", size=size)
    colours = {name: tuple(bytes.fromhex(code[1:])) for name, code in class_colours(["tile", "other"]).items()}
    middle, y = CELL // 2, MARGIN + CAPTION + 100
    for column, name in enumerate(("tile", "other")):
        left = MARGIN + column * (CELL + MARGIN)
        strip = [x for x in range(CELL) if grid.getpixel((left + x, y)) == colours[name]]
        assert any(abs(x - middle) <= 3 for x in strip)
        assert any(abs(x - column * (CELL - 1)) <= 3 for x in strip)


@pytest.mark.parametrize("text", ["x" * 5000, "word " * 2000, "two\nlines", "", "日本語のテキスト" * 50])
def test_a_long_caption_is_cut_at_the_edge_of_its_cell(tmp_path: Path, text: str) -> None:
    grid = grid_of(tmp_path, "<VQA>" + "how many " * 50, "<CAPTION>", text=text)
    pixels = np.asarray(grid.convert("L"))
    for gap in (slice(MARGIN + CELL, 2 * MARGIN + CELL), slice(2 * (MARGIN + CELL), None)):
        assert (pixels[:, gap] == 255).all()
    assert (pixels[MARGIN : MARGIN + CAPTION, MARGIN : MARGIN + CELL] < 128).any()


def test_a_very_long_image_fits(tmp_path: Path) -> None:
    assert grid_of(tmp_path, "<CAPTION>", size=(2000, 1)).size == (CELL + 2 * MARGIN, CELL + 2 * MARGIN + CAPTION)
