"""The rules about answers: their tokens, and whether they are what their task requires."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from florence2.codec import BINS, RESERVED, AnswerKind, BoxSpan, location_token, scan_boxes, scan_column
from florence2.datasets.checks.definition import Finding, rule
from florence2.datasets.checks.views.regions import beyond_image
from florence2.datasets.checks.views.rows import (
    Row,
    RowsView,
    beyond_bins,
    decide,
    is_blank,
    matches,
)

_BOX = "<loc_10><loc_20><loc_300><loc_400>"
_RESERVED = "|".join(map(re.escape, RESERVED))
_TAKES = {4: "a box takes 4", 8: "a quadrilateral takes 8", 2: "a point takes 2"}
_SHOWN_TOKENS = 8


@rule(RowsView, "error", remedy="write the answer, or remove the line", example='"suffix": ""')
def suffix_empty(view: RowsView) -> Finding[Row]:
    """The suffix is empty."""
    return Finding(
        view.blank_answer & ~view.from_coordinates & view.readable,
        lambda row: f"The suffix is empty: {row['suffix']!r}",
    )


@rule(
    RowsView,
    "error",
    remedy="write <loc_0> to <loc_999>; a pixel x of an image is in bin floor(x / width * 1000), at most 999",
    example='"suffix": "cat<loc_10><loc_20><loc_1000><loc_400>"',
)
def location_unknown(view: RowsView) -> Finding[Row]:
    """A location token does not exist or is misspelt."""
    in_answer = view.with_unknown_bins & ~view.in_words_alone & ~view.from_coordinates
    misspelt = np.asarray(pc.match_substring(view.scan.names, "<loc").to_numpy(zero_copy_only=False), dtype=bool)
    prefixes = view.table["prefix"]
    with_tokens = np.flatnonzero(matches(prefixes, "<loc_"))
    in_prefix = np.zeros(len(prefixes), dtype=bool)
    in_prefix[with_tokens] = beyond_bins(scan_column(prefixes.iloc[with_tokens]), len(with_tokens))
    unknown = in_answer | (view.any_group(misspelt) & (view.region_sizes > 0)) | in_prefix
    return Finding(unknown & view.readable, _unknown_locations)


def _unknown_locations(row: Row) -> str:
    spans = [*scan_boxes(row["suffix"])[0], *scan_boxes(row["prefix"])[0]]
    return "; ".join(filter(None, map(_unknown_location, spans)))


def _unknown_location(span: BoxSpan) -> str:
    if "<loc" in span.class_name:
        return f"{_written(span)}: tokens are spelt <loc_0> to <loc_{BINS - 1}>"
    unknown = [number for number in span.bins if not 0 <= number < BINS]
    reason = f"<loc_{unknown[0]}> does not exist, bins go from 0 to {BINS - 1}" if unknown else ""
    return reason and f"{_written(span)}: {reason}"


def _written(span: BoxSpan) -> str:
    """Return a group as it is written, long ones cut."""
    tokens = "".join(map(location_token, span.bins[:_SHOWN_TOKENS])) + "..." * (len(span.bins) > _SHOWN_TOKENS)
    name = span.class_name.strip()
    return f"{name!r} with {tokens}" if name else tokens


@rule(
    RowsView,
    "error",
    remedy="correct the coordinates, or restore the image that was annotated",
    example="1190,12,1260,12,1260,40,1190,40,TOTAL in an image of 1200 x 1600 pixels",
)
def region_outside(view: RowsView) -> Finding[Row]:
    """A text or a region that is given in coordinates leaves its image."""
    # Boxes with a name each have a rule of their own, box by box.
    others = view.in_words_alone | view.has_task(view.tasks.tokens_of(AnswerKind.BOXES))
    return Finding(view.with_unknown_bins & ~others & view.from_coordinates & view.readable, beyond_image)


@rule(
    RowsView,
    "error",
    remedy="write four for a box (class<loc_x_min><loc_y_min><loc_x_max><loc_y_max>), eight for a text in "
    "<OCR_WITH_REGION>, two for each point of a polygon",
    example='"suffix": "cat<loc_10><loc_20><loc_300>"',
)
def location_count(view: RowsView) -> Finding[Row]:
    """A text is followed by a number of location tokens that its task does not take."""
    sizes = view.region_sizes[view.scan.group_text]
    odd = (sizes > 0) & (view.scan.group_size % np.maximum(sizes, 1) != 0)
    return Finding(view.any_group(odd) & view.readable, lambda row: _odd_counts(row, view.sizes_of_tasks[row["task"]]))


def _odd_counts(row: Row, size: int) -> str:
    spans, _ = scan_boxes(row["suffix"])
    return "; ".join(
        f"{_written(span)}: {len(span.bins)} location tokens, {_TAKES[size]}" for span in spans if len(span.bins) % size
    )


@rule(
    RowsView,
    "error",
    remedy="write the region in location tokens, or use a task that answers in text",
    example='"prefix": "<REGION_PROPOSAL>", "suffix": "a cat"',
)
def location_missing(view: RowsView) -> Finding[Row]:
    """The answer has no location token, and its task requires regions."""
    requires = (view.region_sizes > 0) & ~view.has_task(view.tasks.tokens_of(AnswerKind.BOXES)) & ~view.from_coordinates
    return Finding(
        requires & ~view.with_locations & ~view.blank_answer & view.readable,
        lambda row: f"{row['suffix']!r} has no location tokens, and {row['task']} requires regions",
    )


@rule(
    RowsView,
    "error",
    remedy="write the answer in words, or use a task that answers in boxes, for example <OD>",
    example=f'"prefix": "<VQA>Where is the cat?", "suffix": "cat{_BOX}"',
    tolerable=True,
)
def location_in_text(view: RowsView) -> Finding[Row]:
    """The answer has location tokens, and its task answers in words."""
    return Finding(
        view.in_words_alone & view.with_locations & view.readable,
        lambda row: f"{row['suffix']!r} has location tokens, and {row['task']} answers in words",
    )


@rule(
    RowsView,
    "error",
    remedy="write the box after the class name, or use a task that answers in text, for example <VQA> or <CAPTION>",
    example=f'"suffix": "cat{_BOX}dog"',
)
def text_without_box(view: RowsView) -> Finding[Row]:
    """The answer of a detection task has a text without a box after it."""
    rest = pd.Series(view.scan.rests, dtype="string")
    return Finding(
        view.has_task(view.tasks.tokens_of(AnswerKind.BOXES, AnswerKind.QUADS)) & ~is_blank(rest) & view.readable,
        lambda row: f"{scan_boxes(row['suffix'])[1].strip()!r} has no location tokens after it",
    )


@rule(
    RowsView,
    "error",
    remedy="write it in other characters, for example without the angle brackets",
    example='"suffix": "a cat</s>"',
)
def token_reserved(view: RowsView) -> Finding[Row]:
    """The answer holds a token by which the model begins, ends or pads a text."""
    return Finding(
        matches(view.table["suffix"], _RESERVED) & view.readable,
        lambda row: f"{next(token for token in RESERVED if token in row['suffix'])} in an answer would end or pad it",
    )


@rule(
    RowsView,
    "error",
    remedy="shorten it, split the image, or raise training.max_target_tokens up to what the model takes",
    example="an answer of 250 boxes: 1250 tokens",
)
def answer_too_long(view: RowsView) -> Finding[Row]:
    """The answer has more tokens than the model may generate."""
    if view.limit is None:
        return Finding(np.zeros(len(view.table), dtype=bool), lambda _: "")
    most, count_tokens = view.limit
    suffixes = view.table["suffix"]
    # A text has no more tokens than bytes, and its begin and end: only longer ones are counted.
    suspects = np.asarray(pc.binary_length(pa.array(suffixes.array)).to_numpy(zero_copy_only=False)) + 2 > most
    texts = suffixes[suspects].unique().tolist()
    lengths = dict(zip(texts, count_tokens(texts), strict=True)) if texts else {}
    return Finding(
        decide(suffixes, suspects, lambda text: lengths[text] > most),
        lambda row: f"the answer has {lengths[row['suffix']]} tokens, at most {most}",
    )


@rule(
    RowsView,
    "note",
    remedy="nothing to do if that is right; else annotate it",
    example="a COCO image without annotations",
)
def image_without_objects(view: RowsView) -> Finding[Row]:
    """The image has no objects; it is kept as an image of the background."""
    return Finding(
        view.table["box_lines"] == "", lambda row: f"{row['image']!r} has no objects", lambda row: row["image"]
    )
