"""The view ``rows``: a row for each annotation line, with what its fields say by themselves and beside other rows."""

from __future__ import annotations

import functools
import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from florence2.codec import (
    BINS,
    RESERVED,
    TASKS,
    AnswerKind,
    LocationScan,
    location_token,
    scan_boxes,
    scan_column,
    split_prefix,
)
from florence2.datasets.checks.regions import beyond_image
from florence2.datasets.checks.repetitions import repetition_columns
from florence2.datasets.checks.view import Positions, RuleBounds, View, records
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import AnswerError

__all__ = ["LABELLED", "rows_view"]

Flags = NDArray[np.bool_]

_SIZES = {AnswerKind.BOXES: 4, AnswerKind.PROPOSALS: 4, AnswerKind.QUADS: 8, AnswerKind.POLYGONS: 2}
_REGION_SIZES = {token: _SIZES[task.answer] for token, task in TASKS.items() if task.answer in _SIZES}
"""Location tokens of one region: a box takes four, a quadrilateral eight, a point of a polygon two."""

LABELLED = tuple(token for token, task in TASKS.items() if task.answer is AnswerKind.BOXES)
"""Tasks whose answers are boxes with a name each."""

# Florence-2 repeats the region when it answers about one, so only the others answer in words alone.
_WORDS_ALONE = tuple(token for token in TASKS if token not in _REGION_SIZES and not token.startswith("<REGION_TO_"))
_TEXT_WITH_REGIONS = (*LABELLED, "<OCR_WITH_REGION>")
_FRAMING = "|".join(map(re.escape, RESERVED))
_ORDERS = "|".join(map(re.escape, (*TASKS, *RESERVED)))
# Python's blanks and Arrow's differ in a few control characters: this finds what may be blank, Python decides.
_SURELY_VISIBLE = r"[^\s\pZ\pC]"
_SHOWN_TOKENS = 8


def rows_view(manifest: DatasetManifest, scan: LocationScan, settings: RuleBounds) -> View:
    """Derive the columns about annotation lines.

    Args:
        manifest: the data set, also with rows that could not be read.
        scan: of its suffixes.
        settings: bounds of the rules.
    """
    rows = manifest.table
    readable = rows["line_error"].isna().to_numpy()
    from_coordinates = rows["box_lines"].notna().to_numpy()
    answers = _answer_columns(rows, scan, ~from_coordinates)
    columns = {
        "line_error": rows["line_error"],
        "image_defect": _image_defects(rows["image_error"]),
        "size_differs": _size_differs(rows),
        **{name: flags & readable for name, flags in (_prefix_columns(rows) | answers).items()},
        "suffix_empty": _blank(rows["suffix"]) & ~from_coordinates & readable,
        "no_objects": (rows["box_lines"] == "").fillna(False).to_numpy(dtype=bool),
        "answer_too_long": _too_long(rows["suffix"], settings),
        **repetition_columns(manifest, readable),
    }
    table = pd.DataFrame(columns)
    describe = functools.partial(_describe, manifest, table, settings)
    return View("rows", table, describe, lambda positions: positions)


def _image_defects(errors: pd.Series[str]) -> pd.Series[str]:
    """Return the kind of each image error, NA where the image is fine."""
    spoilt = errors[errors.notna()]
    kinds = pd.Series([error.partition(": ")[0] for error in spoilt], index=spoilt.index, dtype="string")
    return kinds.reindex(errors.index)


def _size_differs(rows: pd.DataFrame) -> Flags:
    differs = (rows["declared_width"] != rows["width"]) | (rows["declared_height"] != rows["height"])
    return differs.fillna(False).to_numpy(dtype=bool)


def _matches(texts: pd.Series[str], pattern: str) -> Flags:
    """Tell which texts hold a pattern of RE2."""
    found = pc.match_substring_regex(pa.array(texts.array), pattern)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)


def _decide(texts: pd.Series[str], suspects: Flags, judge: Any) -> Flags:
    """Keep those suspects that a judge, asked once for each distinct text, finds guilty."""
    chosen = texts[suspects]
    guilty = [text for text in chosen.unique() if judge(text)]
    decided = np.zeros(len(texts), dtype=bool)
    decided[suspects] = chosen.isin(guilty).to_numpy(dtype=bool)
    return decided


def _blank(texts: pd.Series[str]) -> Flags:
    return _decide(texts, ~_matches(texts, _SURELY_VISIBLE), lambda text: not text.strip())


def _prefix_columns(rows: pd.DataFrame) -> dict[str, Flags]:
    """Tell which prefixes have no task, or a text too many or too few; most are found good without a look at each."""
    prefixes, tasks = rows["prefix"], rows["task"]
    alone = (prefixes == tasks).to_numpy(dtype=bool)
    takes_input = tasks.isin([token for token, task in TASKS.items() if task.takes_input]).to_numpy(dtype=bool)
    known = tasks.isin(list(TASKS)).to_numpy(dtype=bool)
    asked = (
        takes_input & ~alone & ~_matches(prefixes, rf"(?s)^<\w+>.*(?:{_ORDERS})") & _matches(prefixes, r"^<\w+>\s*\w")
    )
    fine = known & ((alone & ~takes_input) | asked)
    wrong = _decide(prefixes, ~fine, _prefix_problem)
    return {"task_missing": wrong & ~known, "prefix_text": wrong & known}


def _prefix_problem(prefix: str) -> str:
    """Say what is wrong with a prefix, empty if nothing is."""
    try:
        split_prefix(prefix)
    except AnswerError as exc:
        return str(exc)
    return ""


def _outside(scan: LocationScan, length: int) -> Flags:
    """Tell which texts hold a location token that does not exist."""
    unknown = np.flatnonzero((scan.bins < 0) | (scan.bins >= BINS))
    groups = np.searchsorted(scan.group_start, unknown, side="right") - 1
    flags = np.zeros(length, dtype=bool)
    flags[scan.group_text[groups]] = True
    return flags


def _answer_columns(rows: pd.DataFrame, scan: LocationScan, in_file: Flags) -> dict[str, Flags]:
    """Tell what is wrong with the tokens of each answer, by what its task asks for."""
    length = len(rows)
    tasks = rows["task"]
    sizes = tasks.map(_REGION_SIZES).fillna(0).to_numpy(dtype=np.int64)
    with_regions, labelled = sizes > 0, tasks.isin(_TEXT_WITH_REGIONS).to_numpy(dtype=bool)
    group_sizes = sizes[scan.group_text]
    groups = np.bincount(scan.group_text, minlength=length)
    odd = (group_sizes > 0) & (scan.group_size % np.maximum(group_sizes, 1) != 0)
    misspelt = np.asarray(pc.match_substring(scan.names, "<loc").to_numpy(zero_copy_only=False), dtype=bool)
    in_words = tasks.isin(_WORDS_ALONE).to_numpy(dtype=bool)
    outside = _outside(scan, length) & ~in_words
    unknown = (outside & in_file) | (_any_group(scan, misspelt, length) & with_regions)
    rest = pd.Series(scan.rests, dtype="string")
    asked = np.flatnonzero(_matches(rows["prefix"], "<loc_"))
    in_prefix = np.zeros(length, dtype=bool)
    in_prefix[asked] = _outside(scan_column(rows["prefix"].iloc[asked]), len(asked))
    return {
        "location_unknown": unknown | in_prefix,
        # Boxes with a name each are looked at one by one.
        "region_outside": outside & ~in_file & ~tasks.isin(LABELLED).to_numpy(dtype=bool),
        "location_count": _any_group(scan, odd, length),
        "location_missing": with_regions & ~labelled & (groups == 0) & in_file & ~_blank(rows["suffix"]),
        "location_in_text": in_words & (groups > 0),
        "text_left": labelled & ~_blank(rest),
        "token_reserved": _matches(rows["suffix"], _FRAMING),
    }


def _any_group(scan: LocationScan, flags: Flags, length: int) -> Flags:
    """Tell which texts have a group with a flag."""
    found = np.zeros(length, dtype=bool)
    found[scan.group_text[flags]] = True
    return found


def _too_long(suffixes: pd.Series[str], settings: RuleBounds) -> Flags:
    """Tell which answers have too many tokens; a text has no more than it has bytes, beside its begin and end."""
    if settings.max_target_tokens is None or settings.count_tokens is None:
        return np.zeros(len(suffixes), dtype=bool)
    limit, count = settings.max_target_tokens, settings.count_tokens
    sizes = pc.binary_length(pa.array(suffixes.array)).to_numpy(zero_copy_only=False)
    suspects = np.asarray(sizes) + 2 > limit
    texts = suffixes[suspects].unique().tolist()
    lengths = dict(zip(texts, count(texts), strict=True)) if texts else {}
    return _decide(suffixes, suspects, lambda text: lengths[text] > limit)


def _describe(
    manifest: DatasetManifest, table: pd.DataFrame, settings: RuleBounds, positions: Positions
) -> list[dict[str, Any]]:
    """Tell about some rows what the messages of the row rules need."""
    rows = manifest.table.iloc[positions]
    images = manifest.images[manifest.images["image"].isin(rows["image"])]
    orientations = dict(zip(images["image"], images["orientation"], strict=True))
    told = []
    for position, row, found in zip(positions, records(rows), records(table.iloc[positions]), strict=True):
        leak = found["leaks_to"]
        own = {
            "row": int(position),
            "declared": f"{row['declared_width']} x {row['declared_height']}",
            "turned": _turned(row, orientations.get(row["image"])),
            "repeated_place": _place(manifest, found["repeats"]),
            "contradicted_place": _place(manifest, found["contradicts"]),
            "leak_place": _place(manifest, leak),
            "leak_split": "" if pd.isna(leak) else manifest.table["split"].iloc[int(leak)],
        }
        told.append(row | own | _describe_texts(row, found, settings))
    return told


def _describe_texts(row: dict[str, Any], found: dict[str, Any], settings: RuleBounds) -> dict[str, str]:
    """Say in words what is wrong with prefix and suffix; texts that need no word stay empty."""
    spans, rest = scan_boxes(row["suffix"])
    size = _REGION_SIZES.get(row["task"], 0)
    odd = [
        f"{_written(span.class_name, span.bins)}: {len(span.bins)} location tokens, {_takes(size)}"
        for span in spans
        if size and len(span.bins) % size
    ]
    unknown = [_location_problem(span.class_name, span.bins) for span in spans]
    unknown += [_location_problem("", span.bins) for span in scan_boxes(row["prefix"])[0]]
    too_long = ""
    if found["answer_too_long"] and settings.count_tokens is not None:
        too_long = f"{next(iter(settings.count_tokens([row['suffix']])))} tokens, at most {settings.max_target_tokens}"
    return {
        "image_detail": "" if pd.isna(row["image_error"]) else row["image_error"].partition(": ")[2],
        "prefix_problem": _prefix_problem(row["prefix"]) if found["task_missing"] or found["prefix_text"] else "",
        "count_problem": "; ".join(odd),
        "location_problem": "; ".join(filter(None, unknown)),
        "region_problem": beyond_image(row) if found["region_outside"] else "",
        "rest": rest.strip(),
        "reserved": next((token for token in RESERVED if token in row["suffix"]), ""),
        "length": too_long,
    }


def _written(name: str, bins: tuple[int, ...]) -> str:
    tokens = "".join(map(location_token, bins[:_SHOWN_TOKENS])) + "..." * (len(bins) > _SHOWN_TOKENS)
    return f"{name.strip()!r} with {tokens}" if name.strip() else tokens


def _takes(size: int) -> str:
    return {4: "a box takes 4", 8: "a quadrilateral takes 8"}.get(size, "a point takes 2")


def _location_problem(name: str, bins: tuple[int, ...]) -> str:
    if "<loc" in name:
        return f"{_written(name, bins)}: tokens are spelt <loc_0> to <loc_{BINS - 1}>"
    outside = [number for number in bins if not 0 <= number < BINS]
    reason = f"<loc_{outside[0]}> does not exist, bins go from 0 to {BINS - 1}" if outside else ""
    return reason and f"{_written(name, bins)}: {reason}"


def _place(manifest: DatasetManifest, position: Any) -> str:
    if pd.isna(position):
        return ""
    row = manifest.table.iloc[int(position)]
    return f"{row['file']}:{row['line']}"


def _turned(row: dict[str, Any], orientation: Any) -> str:
    swapped = (row["declared_width"], row["declared_height"]) == (row["height"], row["width"])
    if swapped and not pd.isna(orientation) and int(orientation) >= 5:
        return f", its size before EXIF orientation {orientation} turns it upright"
    return ", width and height swapped" if swapped else ""
