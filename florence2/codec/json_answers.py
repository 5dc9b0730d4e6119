"""Answers that are one JSON object: parsed strictly, and taken apart into their fields.

Source of what a field is: the evaluation of Donut (arXiv 2111.15664; clovaai/donut, ``donut/util.py``,
``JSONParseEvaluator``): the names from the outside to the inside, joined by points, and the value;
the elements of a list have the path of the list.
"""

from __future__ import annotations

import json
from typing import Any

from florence2.errors import AnswerError

__all__ = ["JsonObject", "RepeatedNameError", "fields_of", "normal_json", "parse_json"]

JsonObject = dict[str, Any]


class RepeatedNameError(AnswerError):
    """A JSON object has a name twice, of which readers keep one value or the other."""


def parse_json(text: str) -> JsonObject:
    """Return the object of an answer.

    Raises:
        RepeatedNameError: an object in it has a name twice.
        AnswerError: it is not one JSON object.
    """
    try:
        found = json.loads(text, object_pairs_hook=_without_repetition, parse_constant=_no_constant)
    except json.JSONDecodeError as exc:
        raise AnswerError(f"not JSON: {exc.msg} at character {exc.pos + 1}") from exc
    except RecursionError as exc:
        raise AnswerError("not JSON that can be read: it is nested too deeply") from exc
    if not isinstance(found, dict):
        raise AnswerError(f"JSON, but no object {{...}} with names: {text[:40]!r}")
    return found


def normal_json(value: Any) -> Any:
    """Return a JSON value in the form in which values are compared.

    Numbers, true and false become the text that JSON has for them, and texts lose blanks at their ends, as in Donut.
    What is empty or null is left out. Donut also leaves out 0 and false, which are kept here.
    """
    if isinstance(value, dict):
        inner = {name: normal_json(value[name]) for name in sorted(value, key=lambda name: (len(name), name))}
        return {name: each for name, each in inner.items() if each not in ("", [], {})}
    if isinstance(value, list):
        return [each for each in map(normal_json, value) if each not in ("", [], {})]
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value)


def fields_of(value: Any, path: str = "") -> list[tuple[str, str]]:
    """Return the fields of a value of ``normal_json``: path and value of each, in their order."""
    if isinstance(value, dict):
        return [field for name, each in value.items() for field in fields_of(each, f"{path}.{name}" if path else name)]
    if isinstance(value, list):
        return [field for each in value for field in fields_of(each, path)]
    return [(path, value)]


def _without_repetition(pairs: list[tuple[str, Any]]) -> JsonObject:
    found: JsonObject = {}
    for name, value in pairs:
        if name in found:
            raise RepeatedNameError(f"the name {name!r} is there twice in one object")
        found[name] = value
    return found


def _no_constant(name: str) -> Any:
    raise AnswerError(f"not JSON: {name} is no value of it")
