"""``scan_boxes`` for a whole column of answers at once: a million texts in about a second.

It works on the bytes of the column: no text becomes a Python object. The grammar is that of
``florence2.codec.answers``, to which a property test holds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["LocationScan", "scan_column"]

_OPENING = b"<loc_"
_MINUS, _ZERO, _CLOSING = ord("-"), ord("0"), ord(">")
_MAX_DIGITS = 9
# The longest token is shorter than this: bytes behind the last text, so that no look ahead leaves the array.
_MARGIN = 32


@dataclass(frozen=True)
class LocationScan:
    """The groups ``text<loc>...`` of n texts, right or wrong.

    Attributes:
        group_text: int64 (g,), the number of the text that holds each group; groups stand in reading order.
        group_start: int64 (g + 1,), where the bins of each group begin in ``bins``.
        bins: int64 (m,), the numbers in the location tokens.
        names: large_string array (g,), the text before the tokens of each group, blanks kept.
        rests: large_string array (n,), what is left of each text behind its last group.
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
    """Split every text of a column into its groups without judging them.

    Args:
        texts: a pandas Series of n texts without NA.

    Returns:
        What ``scan_boxes`` returns for each text, as columns.
    """
    data, offsets = _bytes_of(texts)
    starts, ends, bins, counts = _tokens(data, offsets)
    token_text = np.repeat(np.arange(len(counts)), counts)
    opens = np.ones(len(starts), dtype=bool)
    opens[1:] = (starts[1:] != ends[:-1]) | (token_text[1:] != token_text[:-1])
    first = np.flatnonzero(opens)
    group_text = token_text[first]
    names, rests = _texts_between(data, offsets, starts, ends, first, group_text)
    return LocationScan(group_text, np.append(first, len(starts)), bins, names, rests)


def _bytes_of(texts: pd.Series[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the texts as bytes with a margin behind, and where each begins, (n + 1,)."""
    # Of the Series itself, Arrow would make a Python object for each text.
    array = pa.array(texts.array, type=pa.large_string())
    joined = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    _, places, content = joined.buffers()
    if not len(joined) or places is None:
        return np.zeros(_MARGIN, dtype=np.uint8), np.zeros(len(joined) + 1, dtype=np.int64)
    offsets = np.frombuffer(places, dtype=np.int64)[joined.offset : joined.offset + len(joined) + 1]
    raw = np.frombuffer(content, dtype=np.uint8) if content is not None else np.zeros(0, dtype=np.uint8)
    data = np.zeros(int(offsets[-1] - offsets[0]) + _MARGIN, dtype=np.uint8)
    data[:-_MARGIN] = raw[offsets[0] : offsets[-1]]
    return data, offsets - offsets[0]


def _tokens(
    data: NDArray[np.uint8], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Find the location tokens: where each starts and ends, its number, and how many each text has."""
    starts = np.flatnonzero(data == _OPENING[0])
    for place, letter in enumerate(_OPENING[1:], start=1):
        starts = starts[data[starts + place] == letter]
    cursor = starts + len(_OPENING)
    negative = data[cursor] == _MINUS
    cursor = cursor + negative
    leading_zero = data[cursor] == _ZERO
    numbers = np.zeros(len(starts), dtype=np.int64)
    digits = np.zeros(len(starts), dtype=np.int64)
    going = np.arange(len(starts))
    for _ in range(_MAX_DIGITS):
        # Subtracting in uint8 wraps: whatever is no digit becomes 10 or more.
        digit = data[cursor[going]] - np.uint8(_ZERO)
        going, digit = going[digit < 10], digit[digit < 10]
        numbers[going] = numbers[going] * 10 + digit
        cursor[going] += 1
        digits[going] += 1
    ends = cursor + 1
    # A token that begins in one text and ends in the next is none.
    text_end = np.repeat(offsets[1:], np.diff(np.searchsorted(starts, offsets)))
    valid = (digits > 0) & ~(leading_zero & (digits > 1)) & (data[cursor] == _CLOSING) & (ends <= text_end)
    starts = starts[valid]
    bins = np.where(negative, -numbers, numbers)[valid]
    return starts, ends[valid], bins, np.diff(np.searchsorted(starts, offsets))


def _texts_between(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    first: NDArray[np.int64],
    group_text: NDArray[np.int64],
) -> tuple[Any, Any]:
    """Cut out what is no token: the text before each group, and what is left at the end of each text."""
    # Pieces in reading order: for each text its names, then its rest.
    texts, groups = len(offsets) - 1, len(first)
    name_piece = np.arange(groups) + group_text
    rest_piece = np.arange(texts) + np.searchsorted(group_text, np.arange(texts), side="right")
    begin = np.empty(texts + groups, dtype=np.int64)
    end = np.empty(texts + groups, dtype=np.int64)
    last = np.append(first, len(starts))[1:] - 1
    # A piece begins where the group before it in the same text ends, or with the text.
    begin[rest_piece] = offsets[:-1]
    begin[name_piece] = offsets[:-1][group_text]
    begin[name_piece + 1] = ends[last]
    end[rest_piece] = offsets[1:]
    end[name_piece] = starts[first]
    edges = np.zeros(len(data), dtype=np.int8)
    edges[starts] += 1
    edges[ends] -= 1
    literal = data[: len(data) - _MARGIN][np.cumsum(edges, dtype=np.int8)[: len(data) - _MARGIN] == 0]
    places = np.concatenate([[0], np.cumsum(end - begin)])
    pieces = pa.LargeStringArray.from_buffers(len(begin), pa.py_buffer(places), pa.py_buffer(literal))
    return pieces.take(pa.array(name_piece)), pieces.take(pa.array(rest_piece))
