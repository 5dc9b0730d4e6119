"""JSON Lines: a file with a JSON object on each line; it may hold anything else as well."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from florence2.datasets.formats.values import BadValueError, excerpt

__all__ = ["bounded_lines", "parse_object"]

_LONGEST_LINE = 16 << 20
_BOM = b"\xef\xbb\xbf"
_BLANKS = " \t\r\n"
"""Blanks of JSON; str.strip() without them would also drop a line of control characters without an error."""


def bounded_lines(handle: BinaryIO) -> Iterator[bytes]:
    """Yield the lines with their ends, without a byte order mark; a line that is too long is cut."""
    # Only a line feed ends a line here: str.splitlines would also cut at U+2028, which JSON texts may hold.
    first = True
    while raw := handle.readline(_LONGEST_LINE + 1):
        yield raw.removeprefix(_BOM) if first else raw
        first = False
        while len(raw) > _LONGEST_LINE and not raw.endswith(b"\n"):
            raw = handle.readline(_LONGEST_LINE + 1)


def parse_object(raw: bytes) -> dict[str, Any] | None:
    """Return the object of a line, None if the line is blank.

    Raises:
        BadValueError: the line is not a JSON object, or has a key twice.
    """
    if len(raw) > _LONGEST_LINE:
        raise BadValueError(f"the line is longer than {_LONGEST_LINE >> 20} MiB")
    try:
        text = raw.decode("utf-8").strip(_BLANKS)
    except UnicodeDecodeError as exc:
        raise BadValueError(f"not valid UTF-8 at byte {exc.start + 1}") from None
    if not text:
        return None
    try:
        values = _decoder.decode(text)
    except json.JSONDecodeError as exc:
        ends = "" if raw.endswith(b"\n") else "; the file ends within the line"
        raise BadValueError(f"not valid JSON, {exc.msg} at column {exc.colno}: {excerpt(text)}{ends}") from None
    except (ValueError, RecursionError) as exc:
        raise BadValueError(f"not valid JSON ({exc}): {excerpt(text)}") from None
    if not isinstance(values, dict):
        raise BadValueError(f"not a JSON object: {excerpt(values)}")
    return values


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for number, key in enumerate(keys) if key in keys[:number])
        raise ValueError(f"the key {excerpt(twice)} occurs twice")
    return values


_decoder = json.JSONDecoder(object_pairs_hook=_unique)
