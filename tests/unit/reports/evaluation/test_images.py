"""Images of the page: small, and with outlines at their locations."""

from __future__ import annotations

import numpy as np
from PIL import Image

from florence2.evaluation.comparison import SelectedExamples
from florence2.evaluation.examples import Example, ExampleAnswer, example_of
from florence2.reports.evaluation.images import READABLE, THUMBNAIL, thumbnail
from florence2.reports.evaluation.render import render_evaluation
from tests.reports import AFTER, BEFORE, regions


def test_images_are_thumbnails_of_bounded_size() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1200, 900, 3), dtype=np.uint8)
    small = thumbnail(Image.fromarray(noise))
    assert small.size == (THUMBNAIL * 3 // 4, THUMBNAIL)
    examples = SelectedExamples([Example("a", 900, 1200, "<CAPTION>", "t", "cider", None, ExampleAnswer("x", 0.5))])
    assert (
        len(render_evaluation(AFTER, examples=examples, images={"a": small})) - len(render_evaluation(AFTER)) < 120_000
    )


def test_images_whose_text_is_read_and_narrow_ones_stay_readable() -> None:
    receipt = Image.new("RGB", (926, 2026), "white")
    assert thumbnail(receipt).size[1] == READABLE
    assert thumbnail(Image.new("RGB", (1200, 900)), reads_text=True).size == (READABLE, READABLE * 3 // 4)
    example = Example("a", 926, 2026, "<DocVQA>what is the total?", "9.00", "anls", None, ExampleAnswer("9.00", 1.0))
    html = render_evaluation(AFTER, examples=SelectedExamples([example]), images={"a": thumbnail(receipt)})
    assert html.count('href="#image-0"') == 2, "small in the table, and enlarged on a click"
    assert "Enlarge or close" in html


def test_texts_and_outlines_are_drawn_at_their_locations() -> None:
    shown = [example_of(row, row) for row in regions(0.5)]
    html = render_evaluation(AFTER, BEFORE, examples=SelectedExamples(shown))
    assert "Answers in words" not in html
    assert html.count("<polygon") == 3 * (2 + 1)  # target, before and after of two texts and of one triangle
    assert '<polygon points="32.2,24.1 288.2,48.1 128.2,192.1"' in html
    assert "a long line of text 400" in html
    for summary in ("2 regions", "1 region"):
        assert html.count(f">{summary}<") == 3
