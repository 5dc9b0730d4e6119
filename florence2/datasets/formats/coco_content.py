"""The content of a COCO file, collected part by part: images with the boxes of their objects, and problems."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from florence2.datasets.formats.annotations import Region
from florence2.datasets.formats.values import BadValueError, checked_name, checked_text, excerpt, number, pixel_size

__all__ = ["CocoContent", "CocoImage"]

_PLAIN = re.compile(r"[\w.-]{1,40}", re.ASCII)
_MOST_STRAYS = 1000
"""Parts without an image that are named; a damaged file may hold millions of them."""


@dataclass(slots=True)
class CocoImage:
    """An image of the file with what was read of it so far."""

    line: int
    name: str = ""
    size_wh: tuple[int, int] | None = None
    regions: list[Region] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)


@dataclass(slots=True)
class CocoContent:
    """The content of a file, collected part by part; the parts may come in any order.

    Attributes:
        images: by their id.
        categories: name by id; None where two names have one id.
        objects: of each object the image id, the category id, the box or what is wrong with it, the line, and its id.
        strays: images whose id cannot be used, and what belongs to no image; the first thousand.
        more_strays: how many more there are.
        object_lines: line of each annotation by its id.
        crowds: number of crowds of each image, by its id.
        crowds_alone: number of images with crowds and nothing else; known after ``assemble``.
    """

    images: dict[Any, CocoImage] = field(default_factory=dict)
    categories: dict[Any, str | None] = field(default_factory=dict)
    objects: list[tuple[Any, Any, tuple[float, ...] | str, int, Any]] = field(default_factory=list)
    strays: list[CocoImage] = field(default_factory=list)
    more_strays: int = 0
    object_lines: dict[Any, int] = field(default_factory=dict)
    crowds: Counter[Any] = field(default_factory=Counter)
    crowds_alone: int = 0

    def add(self, key: str, value: Any, line: int) -> None:
        """Take a part of the file: the key of its array, the element, and the line where it begins."""
        if key == "images":
            self._add_image(value, line)
        elif key == "categories":
            self._add_category(value, line)
        elif key == "annotations":
            self._add_object(value, line)

    def assemble(self) -> Iterator[CocoImage]:
        """Yield the images with their objects when all parts are in, then what belongs to no image.

        An image with crowds alone is neither labelled nor empty: it is left out, since nothing can be learnt from it.
        """
        for image_id, category, box, line, own in self.objects:
            image = self.images.get(image_id)
            problem = self._problem(image_id, category, box)
            if problem and own is not None:
                problem = f"annotation id {excerpt(own)}: {problem}"
            if image is None:
                self._stray(CocoImage(line, problems=[(line, problem)]))
            elif isinstance(box, str) or problem:
                image.problems.append((line, problem))
            else:
                image.regions.append(Region(self.categories[category] or "", box, line, _key(own)))
        for image_id, image in self.images.items():
            if image_id in self.crowds and not (image.regions or image.problems):
                self.crowds_alone += 1
            else:
                yield image
        yield from self.strays
        if self.more_strays:
            more = f"{self.more_strays} more parts of the file are wrong or belong to none of its images"
            yield CocoImage(self.strays[-1].line, problems=[(self.strays[-1].line, more)])

    def _stray(self, stray: CocoImage) -> None:
        if len(self.strays) < _MOST_STRAYS:
            self.strays.append(stray)
        else:
            self.more_strays += 1

    def _add_image(self, value: Any, line: int) -> None:
        image = CocoImage(line)
        try:
            image_id = _id(_member(value, "id", "image"), "id of the image")
            image.name = checked_name(_member(value, "file_name", "image"), "file_name")
        except BadValueError as exc:
            image.problems.append((line, str(exc)))
            self._stray(image)
            return
        try:
            image.size_wh = _declared_wh(value.get("width"), value.get("height"))
        except BadValueError as exc:
            image.problems.append((line, str(exc)))
        first = self.images.setdefault(image_id, image)
        if first is not image:
            # It is not known which of the two an object belongs to, so both have an error.
            first.problems.append((first.line, f"image id {excerpt(image_id)} is used again in line {line}"))
            image.problems.append((line, f"image id {excerpt(image_id)} was used in line {first.line} already"))
            self._stray(image)

    def _add_category(self, value: Any, line: int) -> None:
        try:
            category = _id(_member(value, "id", "category"), "id of the category")
            name = checked_text(_member(value, "name", "category"), "name of the category")
        except BadValueError as exc:
            self._stray(CocoImage(line, problems=[(line, str(exc))]))
            return
        if self.categories.setdefault(category, name) != name:
            self.categories[category] = None

    def _add_object(self, value: Any, line: int) -> None:
        image_id, own = None, None
        try:
            image_id = _id(_member(value, "image_id", "annotation"), "image_id")
            if value.get("iscrowd") in (1, True):
                self.crowds[image_id] += 1
                return
            if "id" in value:
                given = _id(value["id"], "id of the annotation")
                if given in self.object_lines:
                    raise BadValueError(
                        f"annotation id {excerpt(given)} was used in line {self.object_lines[given]} already"
                    )
                self.object_lines[given] = line
                own = given
            category = _id(_member(value, "category_id", "annotation"), "category_id")
            self.objects.append((image_id, category, _box(value), line, own))
        except BadValueError as exc:
            if image_id is None:
                self._stray(CocoImage(line, problems=[(line, str(exc))]))
            else:
                self.objects.append((image_id, None, str(exc), line, own))

    def _problem(self, image_id: Any, category: Any, box: tuple[float, ...] | str) -> str:
        """Return what is wrong with an object; empty if nothing is."""
        if isinstance(box, str):
            return box
        if image_id not in self.images:
            return f"image_id {excerpt(image_id)} is not one of the images"
        if category not in self.categories:
            return f"category_id {excerpt(category)} is not one of the categories"
        return "" if self.categories[category] is not None else f"category id {excerpt(category)} has two names"


def _member(value: Any, key: str, what: str) -> Any:
    if not isinstance(value, dict):
        raise BadValueError(f"the {what} is {excerpt(value)}, not a JSON object")
    if key not in value:
        raise BadValueError(f"the {what} has no {key!r}")
    return value[key]


def _id(value: Any, what: str) -> Any:
    """Return an id, a whole number or a text."""
    if type(value) not in (int, str):  # true and false are integers as well
        raise BadValueError(f"{what} is {excerpt(value)}, not a whole number")
    return value


def _key(own: Any) -> str:
    """Return an id as a manifest can hold it beside the line: without blanks, and not long; else nothing."""
    text = "" if own is None else str(own)
    return text if _PLAIN.fullmatch(text) else ""


def _declared_wh(width: Any, height: Any) -> tuple[int, int] | None:
    size = pixel_size(width, height)
    if size is None and (width, height) != (None, None):
        raise BadValueError(f"width is {excerpt(width)} and height is {excerpt(height)}, which is not a size in pixels")
    return size


def _box(value: dict[str, Any]) -> tuple[float, ...]:
    """Return x_min, y_min, x_max, y_max in pixels."""
    bbox, shape = value.get("bbox"), value.get("segmentation")
    if bbox is None or bbox == []:
        if isinstance(shape, dict):
            raise BadValueError("there is no bbox, and the run-length segmentation is not decoded")
        return _polygon_box(shape)
    if not isinstance(bbox, list) or len(bbox) != 4:
        raise BadValueError(f"bbox is {excerpt(bbox)}, not four numbers")
    x, y, width, height = [number(part, "a number of bbox") for part in bbox]
    return x, y, x + width, y + height


def _polygon_box(shape: Any) -> tuple[float, ...]:
    rings = shape if isinstance(shape, list) else []
    if not rings or any(not isinstance(ring, list) or len(ring) < 6 or len(ring) % 2 for ring in rings):
        raise BadValueError(f"there is no bbox, and segmentation is {excerpt(shape)}, not a list of polygons")
    x = [number(part, "a number of segmentation") for ring in rings for part in ring[0::2]]
    y = [number(part, "a number of segmentation") for ring in rings for part in ring[1::2]]
    return min(x), min(y), max(x), max(y)
