"""The grammar of answers with locations: texts, each followed by its ``<loc_N>`` tokens. It is defined here only.

``scan_boxes`` reads one text with it and ``scan_column`` of ``florence2.codec.scan`` a column of a million;
``format_spans`` is the inverse.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from florence2.codec.locations import location_token

__all__ = ["LOCATION_PATTERN", "BoxSpan", "format_spans", "scan_boxes"]

LOCATION_PATTERN = r"<loc_(-?(?:0|[1-9][0-9]{0,8}))>"
"""One location token, its number in a group; both Python's ``re`` and Arrow's RE2 understand it.

ASCII digits without leading zeros, as the tokens are spelt, and few enough of them for an int64. Numbers that are not
bins match too: rules and messages name them.
"""

_LOCATION = re.compile(LOCATION_PATTERN)
_LOCATIONS = re.compile(f"(?:{LOCATION_PATTERN})+")


@dataclass(frozen=True)
class BoxSpan:
    """One ``class<loc>...`` group of an answer, correct or not.

    Attributes:
        class_name: the text before the location tokens, blanks at its ends kept.
        bins: the numbers in the location tokens that follow, as many as there are.
    """

    class_name: str
    bins: tuple[int, ...]


def format_spans(spans: Iterable[tuple[str, Sequence[int]]]) -> str:
    """Write texts with their bins as they are, also with bins that do not exist; ``scan_boxes`` is the inverse."""
    return "".join(name + "".join(map(location_token, bins)) for name, bins in spans)


def scan_boxes(text: str) -> tuple[list[BoxSpan], str]:
    """Split an answer into its groups without checking them.

    Returns:
        The groups in order, and the text after the last of them (a class name without a box).
    """
    spans: list[BoxSpan] = []
    end = 0
    for match in _LOCATIONS.finditer(text):
        numbers = tuple(int(number) for number in _LOCATION.findall(match[0]))
        spans.append(BoxSpan(text[end : match.start()], numbers))
        end = match.end()
    return spans, text[end:]
