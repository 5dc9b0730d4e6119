"""The CSV format of tutorials of the TensorFlow Object Detection API, as Roboflow exports it.

    train/_annotations.csv  train/*.jpg          and so on for valid/ and test/
    train_labels.csv  test_labels.csv  images/   or files in the folder, whose names give the splits

A line is an object: ``filename,width,height,class,xmin,ymin,xmax,ymax``, in any order, with coordinates in pixels. A
row is an image: prefix ``<OD>``, its objects in the order of the file. A line without class and coordinates stands for
an image without objects. An image without a line is not in the set: the file does not say whether it was labelled.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from florence2.datasets.formats.annotations import Annotation
from florence2.datasets.formats.files import join
from florence2.datasets.formats.format import Format
from florence2.datasets.formats.image_lookup import ImageLookup
from florence2.datasets.formats.labelled_image import LabelledImage
from florence2.datasets.formats.reading import files_in_splits, read_files, single_file, starts_like
from florence2.datasets.formats.tables import read_table
from florence2.datasets.formats.values import BadValueError, checked_name, excerpt, number, pixel_size
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import AnnotationFileError

__all__ = ["TF_CSV"]

_FILE = "_annotations.csv"
_LARGEST_FILE = 1 << 30
_COLUMNS = {
    "image": ("filename", "file_name", "image", "image_name", "image_path", "path"),
    "class": ("class", "label", "class_name", "name", "category"),
    "x_min": ("xmin", "x_min", "x1"),
    "y_min": ("ymin", "y_min", "y1"),
    "x_max": ("xmax", "x_max", "x2"),
    "y_max": ("ymax", "y_max", "y2"),
}
"""Each column with the names that it may have, the usual one first."""

_HEADER = [
    re.compile(rb"\A[^\n]*?(?<![^,;\t\"\s\xbf])(?:" + "|".join(names).encode() + rb")(?![^,;\t\"\s])", re.IGNORECASE)
    for names in _COLUMNS.values()
]
_SIDES = ("x_min", "y_min", "x_max", "y_max")


def _find_sources(root: Path) -> list[tuple[str, str]]:
    return [source for source in files_in_splits(root, ".csv") if _holds(root, source[1])]


def _holds(root: Path, file: str) -> bool:
    return file.lower().endswith(".csv") and starts_like(root, file, *_HEADER)


def _recognise(root: Path) -> bool:
    return any(posixpath.basename(file) == _FILE for _, file in _find_sources(root))


def _guess(root: Path) -> bool:
    """Return whether there are tables of other names; sets in other formats have such tables as well."""
    return bool(_find_sources(root))


def _read(root: Path, *, verify: bool = False) -> DatasetManifest:
    """Read a folder: a row for each image, in the order train, valid, test, none, and of the lines in each file."""
    return _read_sources(root, _find_sources(root), verify=verify)


def _read_sources(root: Path, sources: Sequence[tuple[str, str]], *, verify: bool = False) -> DatasetManifest:
    images = ImageLookup(root)
    return read_files(
        root,
        sources,
        lambda split, file: _read_file(root, split, file, images),
        expected=f"train/{_FILE} (likewise valid/, test/) with the columns " + ",".join(_usual()),
        verify=verify,
    )


def _usual() -> list[str]:
    return [names[0] for names in _COLUMNS.values()]


def _read_file(root: Path, split: str, file: str, images: ImageLookup) -> Iterator[Annotation]:
    found: dict[str, LabelledImage] = {}
    keys: dict[str, str] = {}
    folder = posixpath.dirname(file)
    for row, line in read_table(root, file, _LARGEST_FILE):
        keys = keys or _keys(root, file, row)
        name = row.get(keys["image"], "")
        if name not in found:
            found[name] = LabelledImage(split, file, line, declared_wh=pixel_size(row.get("width"), row.get("height")))
        image = found[name]
        with image.part(line):
            if image.line == line:
                path = checked_name(name, f"{keys['image']!r}")
                image.image = images.find(path, folders=[folder, join(folder, "images"), f"images/{split}"])
            if pixel_size(row.get("width"), row.get("height")) != image.declared_wh:
                raise BadValueError(f"width and height of {excerpt(name)} are not those in line {image.line}")
            _add_object(image, row, keys, line)
    yield from (image.sample() for image in found.values())


def _keys(root: Path, file: str, row: Mapping[str, str]) -> dict[str, str]:
    """Return the name that each column has in a file."""
    keys = {column: next((name for name in names if name in row), "") for column, names in _COLUMNS.items()}
    missing = [_COLUMNS[column][0] for column, name in keys.items() if not name]
    if missing:
        problem = f"there is no column {', '.join(missing)}; the columns are {', '.join(map(excerpt, list(row)[:12]))}"
        raise AnnotationFileError(root / file, f"{problem}; name them {','.join(_usual())}", 1)
    return keys


def _add_object(image: LabelledImage, row: Mapping[str, str], keys: Mapping[str, str], line: int) -> None:
    if not any(row.get(keys[column]) for column in ("class", *_SIDES)):
        return
    x_min, y_min, x_max, y_max = (number(row.get(keys[side]), repr(keys[side])) for side in _SIDES)
    image.add(row.get(keys["class"], ""), (x_min, y_min, x_max, y_max), line)


TF_CSV = Format(
    files="train/_annotations.csv with filename,width,height,class,xmin,ymin,xmax,ymax",
    samples="one `<OD>` sample for each image",
    recognise=_recognise,
    read=_read,
    single=single_file(_holds, _read_sources),
    guess=_guess,
)
"""The format tf-csv."""
