"""``scan_boxes`` for a whole column of answers: a million texts in about a second.

The column stays in Arrow's memory and no text becomes a Python object. The grammar is the pattern of
``florence2.codec.grammar``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from florence2.codec.grammar import LOCATION_PATTERN

__all__ = ["LocationScan", "scan_column"]

_GROUP = f"((?:{LOCATION_PATTERN})+)"
# Bytes that no UTF-8 text has: the replacement puts them around the tokens of each group.
_BEFORE, _AFTER = 0xFE, 0xFF
_AROUND_NUMBER = len("<loc_>")


@dataclass(frozen=True)
class LocationScan:
    """The groups ``text<loc>...`` of n texts, correct or not.

    Attributes:
        group_text: int64 (g,), the index of the text that holds each group; groups are in reading order.
        group_start: int64 (g + 1,), the position in ``bins`` at which the bins of each group begin.
        bins: int64 (m,), the numbers in the location tokens.
        names: large_string array (g,), the text before the tokens of each group, blanks kept.
        rests: large_string array (n,), the rest of each text after its last group.
    """

    group_text: NDArray[np.int64]
    group_start: NDArray[np.int64]
    bins: NDArray[np.int64]
    names: Any
    rests: Any

    @property
    def group_size(self) -> NDArray[np.int64]:
        """Location tokens in each group, int64 (g,)."""
        return np.diff(self.group_start)


def scan_column(texts: pd.Series[str]) -> LocationScan:
    """Split every text of a column into its groups without checking them.

    Args:
        texts: a pandas Series of n texts without NA.

    Returns:
        What ``scan_boxes`` returns for each text, as columns.
    """
    data, offsets = _marked(texts)
    marks = np.flatnonzero(data >= _BEFORE)
    marks_before = np.searchsorted(marks, offsets)
    # A text with g groups has 2g + 1 pieces: name, tokens, name, tokens, ..., and the rest. Marks are left out of the
    # bytes, so each piece begins where the one before it ends.
    ends = np.insert(marks - np.arange(len(marks)), marks_before[1:], offsets[1:] - marks_before[1:])
    pieces = _strings(ends, data[data < _BEFORE])
    groups = np.diff(marks_before) // 2
    group_text = np.repeat(np.arange(len(groups)), groups)
    name = 2 * np.arange(len(group_text)) + group_text
    bins, counts = _numbers(pieces.take(pa.array(name + 1)))
    return LocationScan(
        group_text=group_text,
        group_start=np.append(0, np.cumsum(counts)),
        bins=bins,
        names=pieces.take(pa.array(name)),
        rests=pieces.take(pa.array(marks_before[1:] + np.arange(len(groups)))),
    )


def _marked(texts: pd.Series[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the texts as bytes, with marks around the tokens of each group, and where each text begins, (n + 1,)."""
    # Of the Series itself, Arrow would make a Python object for each text.
    array = pa.array(texts.array, type=pa.large_string())
    joined = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    replacement = bytes([_BEFORE]) + rb"\1" + bytes([_AFTER])
    marked = pc.replace_substring_regex(joined.cast(pa.large_binary()), pattern=_GROUP, replacement=replacement)
    return _content(marked)


def _numbers(tokens: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the numbers of tokens, (m,), from the tokens of each group, and how many each group has, (g,)."""
    data, offsets = _content(tokens)
    closings = np.flatnonzero(data == ord(">"))
    ends = closings + 1 - _AROUND_NUMBER * np.arange(1, len(closings) + 1)
    numbers = _strings(ends, data[data <= ord("9")])  # digits and "-"; all other bytes of a token are larger
    return numbers.cast(pa.int64()).to_numpy(), np.diff(np.searchsorted(closings, offsets))


def _content(array: Any) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the bytes of a large_string or large_binary array, and where each of its n texts begins, (n + 1,)."""
    _, begins, content = array.buffers()
    if not len(array) or begins is None:
        return np.zeros(0, dtype=np.uint8), np.zeros(1, dtype=np.int64)
    offsets = np.frombuffer(begins, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    data = np.frombuffer(content, dtype=np.uint8) if content is not None else np.zeros(0, dtype=np.uint8)
    return data[offsets[0] : offsets[-1]], offsets - offsets[0]


def _strings(ends: NDArray[np.int64], data: NDArray[np.uint8]) -> Any:
    """Return UTF-8 bytes as a large_string array; each text of it begins where the one before it ends."""
    return pa.LargeStringArray.from_buffers(len(ends), pa.py_buffer(np.append(0, ends)), pa.py_buffer(data))
