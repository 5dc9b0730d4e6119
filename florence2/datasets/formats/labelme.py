"""The format of LabelMe: a JSON file for each image, next to it or in a folder of its own.

    a.jpg  a.json              train/a.jpg  train/a.json              images/a.jpg  labels/a.json

A row is a JSON file: prefix ``<OD>``, the shapes in the order of the file. Points are x, y in pixels. A shape that is
not a rectangle has the box around it; a line or a point has none and makes an error of its row. A copy of the image in
the file (``imageData``) and its flags are not read. X-AnyLabeling writes the same files.
"""

from __future__ import annotations

import logging
import math
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from florence2.datasets.formats.annotations import Annotation
from florence2.datasets.formats.files import SPLIT_NAMES, entries, in_split_order, join, read_json
from florence2.datasets.formats.format import Format
from florence2.datasets.formats.image_lookup import ImageLookup
from florence2.datasets.formats.labelled_image import LabelledImage, Remarks
from florence2.datasets.formats.reading import read_files, starts_like
from florence2.datasets.formats.shapes import Box, box_of_ellipse, box_of_points, clipped, xy_pairs
from florence2.datasets.formats.split_names import split_of_folders
from florence2.datasets.formats.values import BadValueError, checked_name, checked_text, excerpt, pixel_size
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import AnnotationFileError

__all__ = ["LABELME"]

logger = logging.getLogger(__name__)

_LARGEST_FILE = 256 << 20  # most of it may be a copy of the image
_PROBED = 5
_FOLDERS = frozenset({"annotations", "annotation", "ann", "labels", "label", "json", "images", "image", "img", "imgs"})
_OBJECT = re.compile(rb'\A(?:\xef\xbb\xbf)?\s*\{\s*"')
_KEYS = re.compile(rb'"(?:shapes"\s*:\s*\[|imagePath"|imageData")')
_LEAST_POINTS = {"rectangle": 2, "polygon": 3, "oriented_rectangle": 3, "rotation": 3, "circle": 2, "mask": 2}
"""Kinds of shapes that have a box, and how many points each has."""


def _recognise(root: Path) -> bool:
    """Return whether one of the first JSON files of a folder is one of LabelMe."""
    folders = dict.fromkeys(posixpath.dirname(file) for _, file in _find_sources(root))
    return any(
        starts_like(root, join(folder, name), _OBJECT, _KEYS)
        for folder in folders
        for name in _json_files(root / folder)[:_PROBED]
    )


def _read(root: Path, *, verify: bool = False) -> DatasetManifest:
    """Read a folder: a row for each JSON file, in the order train, valid, test, none."""
    images, remarks = ImageLookup(root), Remarks()
    manifest = read_files(
        root,
        _find_sources(root),
        lambda split, file: [_read_file(root, split, file, images, remarks)],
        expected="a .json file of LabelMe for each image, next to it, in labels/ or in train/ (likewise valid/, test/)",
        verify=verify,
    )
    remarks.log(logger, root)
    return manifest


def _find_sources(root: Path) -> list[tuple[str, str]]:
    """Find the JSON files: pairs of split and path."""
    return in_split_order(
        [
            (split_of_folders(folder), join(folder, name))
            for folder in _folders(root)
            for name in _json_files(root / folder)
        ]
    )


def _folders(root: Path, above: str = "", depth: int = 2) -> Iterator[str]:
    yield above
    for name in entries(root / above) if depth else ():
        if name.lower() in _FOLDERS | SPLIT_NAMES.keys() and (root / above / name).is_dir():
            yield from _folders(root, join(above, name), depth - 1)


def _json_files(folder: Path) -> list[str]:
    return [name for name in entries(folder) if name.lower().endswith(".json")]


def _read_file(root: Path, split: str, file: str, images: ImageLookup, remarks: Remarks) -> Annotation:
    found = LabelledImage(split, file)
    values: dict[str, Any] = {}
    shapes: list[tuple[Any, int]] = []
    try:
        for key, value, line in read_json(root, file, _LARGEST_FILE):
            if key == "shapes":
                shapes.append((value, line))
            else:
                values[key] = value
    except AnnotationFileError as exc:
        found.problems.append((exc.line or 1, exc.problem))
    folder, name = posixpath.split(file)
    path = f"{name[:-5]}.jpg"  # where the file does not say
    with found.part(1):
        if not found.problems and "imagePath" not in values:
            raise BadValueError("there is no 'imagePath': not a file of LabelMe; move it out of the data set")
        path = checked_name(values.get("imagePath", path), "'imagePath'")
    found.image = images.find(path, folders=[folder])
    found.declared_wh = pixel_size(values.get("imageWidth"), values.get("imageHeight"))
    for value, line in shapes:
        with found.part(line):
            text, kind, box = _shape(value, found.declared_wh)
            found.add(text, box, line)
            remarks.boxed.update([kind] if kind != "rectangle" else [])
    return found.sample()


def _shape(value: Any, size_wh: tuple[int, int] | None) -> tuple[str, str, Box]:
    """Return the class, the kind and the box of a shape."""
    if not isinstance(value, dict):
        raise BadValueError(f"a shape is {excerpt(value)}, not a JSON object")
    text = checked_text(value.get("label"), "the 'label' of a shape")
    kind = value.get("shape_type") or "polygon"  # files before version 4 have none
    least = _LEAST_POINTS.get(kind) if isinstance(kind, str) else None
    if least is None:
        raise BadValueError(
            f"the shape {excerpt(text)} is a {excerpt(kind)}, which has no box; "
            "draw a rectangle or a polygon, or delete the shape"
        )
    points = xy_pairs(value.get("points"), f"'points' of the {kind} {excerpt(text)}", least)
    if kind == "circle":  # its centre and a point on it
        radius = math.dist(points[0], points[1])
        return text, kind, clipped(box_of_ellipse(points[0], (radius, radius)), size_wh)
    return text, kind, box_of_points(points)


LABELME = Format(
    files="a .json of LabelMe next to each image, in labels/ or in train/",
    samples="one `<OD>` sample for each image",
    recognise=_recognise,
    read=_read,
)
"""The format labelme."""
