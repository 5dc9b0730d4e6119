"""The results of an annotation of Label Studio: labelled shapes, and answers about the whole image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from florence2.datasets.formats.labelled_image import LabelledImage, Remarks
from florence2.datasets.formats.shapes import (
    Box,
    box_of_ellipse,
    box_of_points,
    clipped,
    rotated_corners,
    xy_pairs,
)
from florence2.datasets.formats.values import BadValueError, checked_text, excerpt, number, pixel_size

__all__ = ["GlobalAnswer", "add_results", "minimal_results"]

_SHAPES = frozenset({"rectanglelabels", "polygonlabels", "ellipselabels", "labels"})
_UNLABELLED = frozenset({"rectangle", "polygon", "ellipse"})
"""Shapes whose class is in another result with the same id, of type labels."""

_ANSWERS = frozenset({"choices", "textarea", "taxonomy", "rating", "number"})


@dataclass(frozen=True, slots=True)
class GlobalAnswer:
    """What was chosen or written about the whole image: the name of the tag, its type, and the texts."""

    name: str
    kind: str
    texts: tuple[str, ...]


def minimal_results(task: dict[str, Any]) -> list[Any]:
    """Return the shapes of a task of a JSON-MIN export in the form of results; its other values are of unknown kind."""
    items = [item for value in task.values() if isinstance(value, list) for item in value if isinstance(item, dict)]
    kinds = [next((key for key in item if key in _SHAPES), "") for item in items]
    return [{**item, "type": kind, "value": item} for kind, item in zip(kinds, items, strict=True) if kind]


def add_results(found: LabelledImage, results: Sequence[Any], what: str, remarks: Remarks) -> list[GlobalAnswer]:
    """Add the labelled shapes of an annotation to its image, and its problems.

    Args:
        found: the image.
        results: of the annotation.
        what: names the task in messages.
        remarks: counts what is changed or left out.

    Returns:
        The answers about the whole image.
    """
    answers: list[GlobalAnswer] = []
    labelled = {
        _hashable(each.get("id")) for each in results if isinstance(each, dict) and each.get("type") == "labels"
    }
    for result in results:
        with found.part(found.line, what):
            if not isinstance(result, dict):
                raise BadValueError(f"a result is {excerpt(result)}, not a JSON object")
            kind, value = result.get("type"), result.get("value")
            if kind == "relation" or (kind in _UNLABELLED and _hashable(result.get("id")) in labelled):
                remarks.left_out.update(["relation"] if kind == "relation" else [])
                continue
            if not isinstance(kind, str) or not isinstance(value, dict):
                raise BadValueError(f"a result has the type {excerpt(kind)} and the value {excerpt(value)}")
            if kind in _SHAPES:
                _add_shape(found, kind, result, value, remarks)
            elif kind in _ANSWERS and not {"x", "points"} & value.keys():
                answers.append(_answer(result, kind, value))
            elif kind in _ANSWERS:
                remarks.left_out[f"{kind} of a box"] += 1
            else:
                raise BadValueError(
                    f"a result of type {excerpt(kind)} is not read, only shapes with a label; draw a labelled box"
                )
    return answers


def _hashable(value: Any) -> Any:
    return value if isinstance(value, str | int) else None


def _answer(result: dict[str, Any], kind: str, value: dict[str, Any]) -> GlobalAnswer:
    given = value.get("text" if kind == "textarea" else kind)
    texts = [
        str(each) if type(each) in (int, float) else each for each in (given if isinstance(given, list) else [given])
    ]
    name = checked_text(result.get("from_name"), "'from_name' of a result")
    return GlobalAnswer(name, kind, tuple(checked_text(text, f"the value of {excerpt(name)}") for text in texts))


def _add_shape(
    found: LabelledImage, kind: str, result: dict[str, Any], value: dict[str, Any], remarks: Remarks
) -> None:
    if result.get("image_rotation") not in (None, 0):
        raise BadValueError(
            "the image was turned in Label Studio, so its boxes cannot be read; turn the file, label again"
        )
    size = pixel_size(result.get("original_width"), result.get("original_height"))
    if size is not None and found.declared_wh is None and not found.regions:
        found.declared_wh, found.unit = size, "pixels"
    names = value.get(kind)
    if not isinstance(names, list) or not names:
        raise BadValueError(f"{kind!r} is {excerpt(names)}, not a list of labels; give the shape a label")
    shape, box = _box(value, found.declared_wh)
    if shape:
        remarks.boxed[shape] += 1
    for name in names:
        found.add(checked_text(name, "a label"), box, found.line)


def _box(value: dict[str, Any], size_wh: tuple[int, int] | None) -> tuple[str, Box]:
    """Return the kind of a shape that is no plain rectangle, and its box in pixels, or fractions of unknown sizes."""
    scale = (size_wh[0] / 100, size_wh[1] / 100) if size_wh else (0.01, 0.01)
    angle = number(value.get("rotation") or 0, "'rotation'")
    if angle and size_wh is None:
        raise BadValueError("the shape is turned and the result has no original_width and original_height")
    limits = size_wh or (1.0, 1.0)
    if "points" in value:
        pairs = xy_pairs(value["points"], "'points'", 3)
        return "polygon", box_of_points([(x * scale[0], y * scale[1]) for x, y in pairs])
    keys = ("x", "y", "radiusX", "radiusY") if "radiusX" in value else ("x", "y", "width", "height")
    x, y, width, height = (number(value.get(key), repr(key)) * scale[at % 2] for at, key in enumerate(keys))
    if "radiusX" in value:
        return "ellipse", clipped(box_of_ellipse((x, y), (width, height), angle), limits)
    box = box_of_points([(x, y), (x + width, y + height)])
    if not angle:
        return "", box
    # The top left corner is the one of the turned rectangle.
    return "turned rectangle", clipped(box_of_points(rotated_corners(box, angle, (x, y))), limits)
