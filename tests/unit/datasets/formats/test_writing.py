"""What every writer takes: boxes in pixels that are read back as the same bins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from florence2.codec import quantize
from florence2.datasets.formats.writing import ImageToWrite, class_names, pixel_boxes, unique_stems
from florence2.errors import DatasetError

BINS = st.tuples(st.integers(0, 999), st.integers(0, 999)).map(sorted)


def image(*rows: tuple[str, str], name: str = "a.png", size_wh: tuple[int, int] = (640, 480)) -> ImageToWrite:
    return ImageToWrite("train", name, size_wh, rows)


@given(BINS, BINS, st.tuples(st.integers(1, 5000), st.integers(1, 5000)))
def test_a_box_is_read_back_as_its_bins_and_has_an_area(x: list[int], y: list[int], size_wh: tuple[int, int]) -> None:
    bins = (x[0], y[0], x[1], y[1])
    suffix = "cat" + "".join(f"<loc_{each}>" for each in bins)
    ((name, corners),) = pixel_boxes(image(("<OD>", suffix), size_wh=size_wh))
    assert name == "cat"
    assert tuple(quantize(np.array([corners]), size_wh)[0]) == bins
    assert corners[0] < corners[2] <= size_wh[0]
    assert corners[1] < corners[3] <= size_wh[1]


def test_classes_are_those_of_all_samples_of_all_images_sorted() -> None:
    box = "<loc_1><loc_2><loc_3><loc_4>"
    first = image(("<OD>", f"dog{box}cat{box}{box}"), ("<VQA>how many?", "two"))
    assert class_names([first, image(("<OD>", f"ant{box}"))]) == ("ant", "cat", "dog")
    assert [name for name, _ in pixel_boxes(first)] == ["dog", "cat", "cat"]


def test_outlines_are_no_boxes() -> None:
    outline = "".join(f"<loc_{each}>" for each in (1, 2, 30, 2, 30, 40))
    assert image(("<REFERRING_EXPRESSION_SEGMENTATION>the cat", outline)).boxes == ()


def test_two_images_that_would_share_an_annotation_file_are_refused() -> None:
    with pytest.raises(DatasetError, match=r"'a.png' and 'a.jpg' differ only in their extension"):
        unique_stems([image(), image(name="b.png"), image(name="a.jpg")])
    unique_stems([image(), image(name="b.png")])
