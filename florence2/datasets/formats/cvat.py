"""The format "CVAT for images 1.1": an XML file for all images.

    annotations.xml  images/a.jpg          as CVAT exports a task; with images/train/a.jpg as it exports a project
    train.xml  images/train/a.jpg          a file for each subset, as Datumaro writes it

A row is an image: prefix ``<OD>``, the shapes in the order of the file. The subset of an image is its split. A
polygon, a mask, an ellipse or a box that is turned has the box around it; a polyline, points, a skeleton or a cuboid
has none and makes an error of its row. Tags and attributes are not read.
"""

from __future__ import annotations

import logging
import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lxml import etree

from florence2.datasets.formats.annotations import Annotation
from florence2.datasets.formats.files import SPLIT_NAMES, join, read_bytes
from florence2.datasets.formats.format import Format
from florence2.datasets.formats.image_lookup import ImageLookup
from florence2.datasets.formats.labelled_image import LabelledImage, Remarks
from florence2.datasets.formats.reading import files_in_splits, read_files, single_file, starts_like
from florence2.datasets.formats.safe_xml import XmlError, element_name, parse_xml
from florence2.datasets.formats.shapes import Box, box_of_ellipse, box_of_points, clipped, rotated_corners
from florence2.datasets.formats.values import BadValueError, checked_name, excerpt, number, pixel_size
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import AnnotationFileError, DatasetError

__all__ = ["CVAT"]

logger = logging.getLogger(__name__)

_LARGEST_FILE = 512 << 20
_ROOT = re.compile(rb"<annotations[\s>]")
_EXPORT = "export the task as 'CVAT for images 1.1'"


def _find_sources(root: Path) -> list[tuple[str, str]]:
    return [source for source in files_in_splits(root, ".xml") if _holds(root, source[1])]


def _holds(root: Path, file: str) -> bool:
    return file.lower().endswith(".xml") and starts_like(root, file, _ROOT)


def _recognise(root: Path) -> bool:
    return bool(_find_sources(root))


def _read(root: Path, *, verify: bool = False) -> DatasetManifest:
    """Read a folder: a row for each image, in the order train, valid, test, none."""
    return _read_sources(root, _find_sources(root), verify=verify)


def _read_sources(root: Path, sources: Sequence[tuple[str, str]], *, verify: bool = False) -> DatasetManifest:
    images, remarks = ImageLookup(root), Remarks()
    manifest = read_files(
        root,
        sources,
        lambda split, file: _read_file(root, split, file, images, remarks),
        expected="annotations.xml of CVAT for images 1.1, next to images/",
        verify=verify,
    )
    empty = manifest.table["suffix"].eq("").all() and manifest.table["line_error"].isna().all()
    if empty and "tag" in remarks.left_out:
        raise DatasetError(
            f"{root}: its images have tags and no boxes; draw boxes, or write the tags as JSONL questions"
        )
    remarks.log(logger, root)
    return manifest


def _read_file(root: Path, split: str, file: str, images: ImageLookup, remarks: Remarks) -> Iterator[Annotation]:
    try:
        document = parse_xml(read_bytes(root, file, _LARGEST_FILE))
    except XmlError as exc:
        raise AnnotationFileError(root / file, f"{exc}; {_EXPORT} again", exc.line) from None
    if any(element_name(each) == "track" for each in document):
        raise AnnotationFileError(root / file, f"is 'CVAT for video', whose tracks are not read; {_EXPORT}")
    for element in document:
        if element_name(element) == "image":
            yield _read_image(element, split, file, images, remarks)


def _read_image(element: etree._Element, split: str, file: str, images: ImageLookup, remarks: Remarks) -> Annotation:
    subset = element.get("subset", "")
    found = LabelledImage(SPLIT_NAMES.get(subset.lower(), split), file, element.sourceline or 1)
    with found.part(found.line):
        name = checked_name(element.get("name"), "the name of the <image>")
        folder = posixpath.dirname(file)
        folders = [join(folder, part) for part in (f"images/{subset}", f"images/{split}", "images", subset) if part]
        found.image = images.find(name, folders=[*folders, folder])
    found.declared_wh = pixel_size(element.get("width"), element.get("height"))
    for shape in element:
        kind, line = element_name(shape), shape.sourceline or 1
        if kind == "tag" or shape.get("outside") == "1":
            remarks.left_out[kind] += 1
            continue
        with found.part(line):
            if kind not in _BOXES:
                raise BadValueError(
                    f"a <{kind[:40]}> has no box; draw a rectangle or a polygon, or delete the shape in CVAT"
                )
            box = _BOXES[kind](shape)
            if kind != "box" or shape.get("rotation", "0").strip("0.") != "":
                remarks.boxed["turned box" if kind == "box" else kind] += 1
                box = box if kind == "polygon" else clipped(box, found.declared_wh)
            found.add(_text(shape, "label"), box, line)
    return found.sample()


def _text(shape: etree._Element, key: str) -> str:
    value = shape.get(key)
    if value is None:
        raise BadValueError(f"the <{element_name(shape)}> has no {key!r}")
    return str(value)


def _numbers(shape: etree._Element, *keys: str) -> list[float]:
    return [number(_text(shape, key), f"{key!r} of the <{element_name(shape)}>") for key in keys]


def _box(shape: etree._Element) -> Box:
    x_min, y_min, x_max, y_max = _numbers(shape, "xtl", "ytl", "xbr", "ybr")
    angle = number(shape.get("rotation", "0"), "'rotation' of the <box>")
    if angle == 0:
        return x_min, y_min, x_max, y_max
    centre = ((x_min + x_max) / 2, (y_min + y_max) / 2)
    return box_of_points(rotated_corners((x_min, y_min, x_max, y_max), angle, centre))


def _polygon(shape: etree._Element) -> Box:
    pairs = [point.split(",") for point in _text(shape, "points").split(";")]
    if len(pairs) < 3 or any(len(pair) != 2 for pair in pairs):
        raise BadValueError(f"'points' of the <polygon> is {excerpt(_text(shape, 'points'))}, not x,y;x,y;x,y")
    return box_of_points([(number(x, "a number of 'points'"), number(y, "a number of 'points'")) for x, y in pairs])


def _ellipse(shape: etree._Element) -> Box:
    x, y, radius_x, radius_y = _numbers(shape, "cx", "cy", "rx", "ry")
    angle = number(shape.get("rotation", "0"), "'rotation' of the <ellipse>")
    return box_of_ellipse((x, y), (radius_x, radius_y), angle)


def _mask(shape: etree._Element) -> Box:
    left, top, width, height = _numbers(shape, "left", "top", "width", "height")
    return left, top, left + width, top + height


_BOXES: dict[str, Callable[[etree._Element], Box]] = {
    "box": _box,
    "polygon": _polygon,
    "ellipse": _ellipse,
    "mask": _mask,
}
"""The kinds of shapes that have a box."""

CVAT = Format(
    files="annotations.xml of CVAT for images",
    samples="one `<OD>` sample for each image",
    recognise=_recognise,
    read=_read,
    single=single_file(_holds, _read_sources),
)
"""The format cvat."""
