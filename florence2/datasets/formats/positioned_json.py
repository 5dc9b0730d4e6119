"""JSON in parts, with the line of each: a large file of annotations is never held as a whole tree of values."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator
from typing import Any

from florence2.datasets.formats.values import excerpt

__all__ = ["walk_json"]

_BLANKS = re.compile(r"[ \t\r\n]*")
_COMMA_OR_END = re.compile(r"[ \t\r\n]*([,\]])[ \t\r\n]*")
_decode = json.JSONDecoder().raw_decode


def walk_json(text: str) -> Iterator[tuple[str, Any, int]]:
    """Yield the parts of a JSON text: the elements of its arrays, and its other values.

    Args:
        text: an object, or an array, which is read as the member of an object with the empty key.

    Yields:
        The key, a value, and the line on which the value begins, counted from 1.

    Raises:
        JSONDecodeError: the text is not a JSON object or array, or a key of the object occurs twice; some of its parts
            may have been yielded before.
        ValueError: a number is too long.
        RecursionError: values are nested too deeply.
    """
    line, counted = 1, 0
    for key, value, start in _walk(text):
        line += text.count("\n", counted, start)
        counted = start
        yield key, value, line


def _walk(text: str) -> Iterator[tuple[str, Any, int]]:
    """Yield the key, the value and the offset of each part."""
    position = _skip(text, 0)
    if text.startswith("[", position):
        position = yield from _elements(text, position, "")
    elif text.startswith("{", position):
        position = yield from _members(text, position)
    else:
        raise json.JSONDecodeError("expecting an object or an array", text, position)
    if position != len(text):
        raise json.JSONDecodeError("extra data", text, position)


def _members(text: str, position: int) -> Generator[tuple[str, Any, int], None, int]:
    position = _skip(text, position + 1)
    if text.startswith("}", position):
        return _skip(text, position + 1)
    known: set[str] = set()
    while True:
        if not text.startswith('"', position):
            raise json.JSONDecodeError("expecting a key in double quotes", text, position)
        begin = position
        key, position = _decode(text, position)
        if key in known:
            raise json.JSONDecodeError(f"the key {excerpt(key)} occurs twice", text, begin)
        known.add(key)
        position = _skip(text, position)
        if not text.startswith(":", position):
            raise json.JSONDecodeError("expecting ':'", text, position)
        position = _skip(text, position + 1)
        if text.startswith("[", position):
            position = yield from _elements(text, position, key)
        else:
            value, end = _decode(text, position)
            yield key, value, position
            position = _skip(text, end)
        if text.startswith("}", position):
            return _skip(text, position + 1)
        position = _comma(text, position)


def _elements(text: str, position: int, key: str) -> Generator[tuple[str, Any, int], None, int]:
    position = _skip(text, position + 1)
    if text.startswith("]", position):
        return _skip(text, position + 1)
    while True:
        value, end = _decode(text, position)
        yield key, value, position
        separator = _COMMA_OR_END.match(text, end)
        if separator is None:
            raise json.JSONDecodeError("expecting ',' or the end", text, _skip(text, end))
        position = separator.end()
        if separator[1] == "]":
            return position


def _comma(text: str, position: int) -> int:
    if not text.startswith(",", position):
        raise json.JSONDecodeError("expecting ',' or the end", text, position)
    return _skip(text, position + 1)


def _skip(text: str, position: int) -> int:
    """Return the index of the next character that is not a blank."""
    match = _BLANKS.match(text, position)
    return match.end() if match else position
