"""Boxes read from tokens: the codec's boxes, with scores; what is not a box is counted; repetitions are one box."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from florence2.codec.answers import box_problem, parse_detections
from florence2.codec.detections import Detections
from florence2.codec.grammar import scan_boxes
from florence2.errors import ModelError
from florence2.inference.scoring import TokenReader, keep_confident, read_boxes, score_detections, suppress_duplicates

WORDS = ("cat", " t-shirt", " of", "9")
END, SEPARATOR = 50, 51
READER = TokenReader(
    {100 + i: 250 * i for i in range(4)},
    lambda ids: "".join(WORDS[i] for i in ids),
    framing=frozenset({END}),
    special=frozenset({SEPARATOR}),
)
TOKENS = st.one_of(st.integers(0, len(WORDS) - 1), st.integers(100, 103))
ANSWERS = st.lists(st.tuples(TOKENS, st.floats(0, 1)), max_size=40)


def text_of(ids: list[int]) -> str:
    return "".join(f"<loc_{READER.location_of[i]}>" if i >= 100 else WORDS[i] for i in ids)


@given(ANSWERS)
def test_scored_boxes_are_those_that_the_codec_parses(answer: list[tuple[int, float]]) -> None:
    ids, probabilities = [token for token, _ in answer], [p for _, p in answer]
    scored = score_detections(read_boxes(ids, probabilities, READER)[0], (640, 480))
    parsed = parse_detections(text_of(ids), (640, 480)).with_area()
    assert scored.class_name == parsed.class_name
    np.testing.assert_array_equal(scored.xyxy, parsed.xyxy)
    assert scored.confidence is not None
    assert ((scored.confidence >= 0) & (scored.confidence <= 1)).all()


@given(ANSWERS)
def test_an_answer_has_nothing_malformed_where_the_codec_finds_no_problem(answer: list[tuple[int, float]]) -> None:
    ids, probabilities = [token for token, _ in answer], [p for _, p in answer]
    spans, rest = scan_boxes(text_of(ids))
    sound = not rest.strip() and all(box_problem(span.class_name, span.bins) is None for span in spans)
    sound &= all(
        span.bins[start] < span.bins[start + 2] and span.bins[start + 1] < span.bins[start + 3]
        for span in spans
        for start in range(0, len(span.bins) - 3, 4)
    )
    assert (read_boxes(ids, probabilities, READER)[1] == 0) is sound


@pytest.mark.parametrize(
    ("ids", "malformed"),
    [
        ([], 0),
        ([0, 100, 100, 103, 103], 0),
        ([0, 100, 100, 103, 103, 101, 101, 102, 102], 0),
        ([0, 100, 100, SEPARATOR, 103, 103, END, END], 0),
        ([0, 100, 100, 103], 1),
        ([0, 103, 100, 100, 103], 1),
        ([0, 100, 100, 100, 103], 1),
        ([0, 100, 101, 103, 101], 1),
        ([100, 100, 103, 103], 1),
        ([0, 100, 100, 103, 103, 1, 2], 1),
        ([0, 100, 1, 103, 103, 100, 100, 2], 3),
    ],
)
def test_groups_that_are_no_box_are_counted(ids: list[int], malformed: int) -> None:
    assert read_boxes(ids, [1.0] * len(ids), READER)[1] == malformed


def test_a_score_is_the_mean_probability_of_the_class_tokens() -> None:
    boxes, _ = read_boxes([0, 1, 100, 101, 102, 103], [0.5, 0.7, 0.1, 0.1, 0.1, 0.1], READER)
    np.testing.assert_allclose(score_detections(boxes, (10, 10)).confidence, [0.6], rtol=1e-6)  # type: ignore[arg-type]


def scored(*rows: tuple[str, float, float]) -> Detections:
    """Boxes of 10 x 10 pixels: name, left edge, score."""
    xyxy = np.array([[left, 0, left + 10, 10] for _, left, _ in rows], dtype=np.float32)
    return Detections(xyxy, tuple(name for name, _, _ in rows), np.array([score for _, _, score in rows]))


def test_the_best_of_boxes_of_a_class_that_overlap_is_kept() -> None:
    found = suppress_duplicates(scored(("cat", 0, 0.5), ("dog", 0, 0.4), ("cat", 1, 0.9), ("cat", 50, 0.1)), 0.7)
    assert found.class_name == ("dog", "cat", "cat")
    np.testing.assert_allclose(found.confidence, [0.4, 0.9, 0.1])  # type: ignore[arg-type]


def test_boxes_that_overlap_less_and_all_at_one_are_kept() -> None:
    boxes = scored(("cat", 0, 0.5), ("cat", 5, 0.9), ("cat", 5, 0.9))
    assert len(suppress_duplicates(boxes, 0.7)) == 2
    assert suppress_duplicates(boxes, 1.0) is boxes
    assert len(suppress_duplicates(Detections.empty(), 0.5)) == 0


def test_a_group_without_area_is_no_box() -> None:
    """A model that has learnt nothing repeats a point."""
    boxes, malformed = read_boxes([0, 100, 100, 100, 100, 1, 100, 100, 103, 103], [1.0] * 10, READER)
    assert [box.class_name for box in boxes] == ["t-shirt"]
    assert malformed == 1


def test_boxes_below_a_confidence_are_left_out_and_0_keeps_all() -> None:
    boxes = scored(("cat", 0, 0.5), ("dog", 0, 0.4), ("cat", 1, 0.0))
    assert keep_confident(boxes, 0.0) is boxes
    found = keep_confident(boxes, 0.4)
    assert found.class_name == ("cat", "dog")
    np.testing.assert_allclose(found.confidence, [0.5, 0.4])  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 30), st.floats(0, 1)), max_size=12), st.floats(0.1, 0.99))
def test_suppressing_twice_changes_nothing_more(rows: list[tuple[str, float, float]], iou: float) -> None:
    once = suppress_duplicates(scored(*rows), iou)
    assert suppress_duplicates(once, iou).class_name == once.class_name
    assert {name for name, _, _ in rows} == set(once.class_name)


def test_a_tokenizer_without_locations_is_refused() -> None:
    tokenizer = SimpleNamespace(convert_tokens_to_ids=lambda tokens: [3] * len(tokens), unk_token_id=3)
    with pytest.raises(ModelError, match=r"lacks 1000 of 1000 location tokens, the first <loc_0>"):
        TokenReader.of(tokenizer)
