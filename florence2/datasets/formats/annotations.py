"""What every reader yields, and how it becomes a manifest.

A reader turns its files into ``Annotation`` values and knows nothing of hashes, bins or tables: ``to_manifest`` probes
the images, writes coordinates as answers, and fills the columns.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np

from florence2.codec import CLASS_TASKS, TASKS, format_spans, scan_boxes, unclamped_bins
from florence2.datasets.formats.values import excerpt, has_control, joined
from florence2.datasets.manifest import COLUMNS, IMAGE_COLUMNS, DatasetManifest
from florence2.images import ImageDefect, ImageProbe, list_images, probe_images

__all__ = ["Annotation", "Region", "to_manifest"]

_LOCATION = "<loc_"


@dataclass(frozen=True, slots=True)
class Region:
    """A labelled shape as an annotation file gives it.

    Attributes:
        text: class name, or the text in the image; may be empty or have blanks at its ends, which rules report.
        points: finite x, y, x, y, ... in the annotation's unit: x_min, y_min, x_max, y_max of a box.
        line: of the shape in the file, counted from 1.
        key: the id by which the file names the shape, of letters, digits, dots and dashes; empty if it has none.
    """

    text: str
    points: tuple[float, ...]
    line: int
    key: str = ""


@dataclass(frozen=True, slots=True)
class Annotation:
    """A sample as an annotation file gives it.

    Attributes:
        split: train, valid, test or empty.
        image: path of the image relative to the root, as the file has it, in POSIX spelling; it is not trusted.
        file: the annotation file relative to the root.
        line: of the annotation in the file, counted from 1.
        prefix: task token and input.
        suffix: the answer as the file gives it; None if it is made from ``regions``.
        regions: shapes of the answer, in the order of the file.
        unit: what the points of the regions are in: pixels, or fractions of width and height.
        declared_wh: size of the image in pixels as the annotations say; points in pixels refer to it.
        error: why the annotation cannot be read; the other texts may be empty then.
    """

    split: str
    image: str
    file: str
    line: int
    prefix: str = ""
    suffix: str | None = None
    regions: tuple[Region, ...] = ()
    unit: Literal["pixels", "fractions"] = "pixels"
    declared_wh: tuple[int, int] | None = None
    error: str | None = None


def to_manifest(
    root: Path, annotations: Iterable[Annotation], splits: Iterable[str] = (), *, verify: bool = False
) -> DatasetManifest:
    """Probe the images and build the manifest.

    Args:
        root: folder of the data set.
        annotations: of a reader, in the order of the rows.
        splits: the splits that the data set comes with, also one without a row.
        verify: read every image file again, also if its size and time are unchanged.

    Returns:
        A row for each annotation. An image whose path leads out of the root is not opened.
    """
    rows = [_with_checked_names(row) for row in annotations]
    names = [posixpath.normpath(row.image) if row.image else "" for row in rows]
    inside = [name for name, row in zip(names, rows, strict=True) if row.error is None and _stays_inside(name)]
    found = probe_images(root, inside, verify=verify)
    outside = ImageProbe(error=f"{ImageDefect.OUTSIDE}: leads out of the data set's folder")
    probes = [
        ImageProbe() if row.error is not None else found.get(name, outside)
        for name, row in zip(names, rows, strict=True)
    ]
    columns = {
        "split": [row.split for row in rows],
        "image": names,
        "width": [probe.width for probe in probes],
        "height": [probe.height for probe in probes],
        "sha256": [probe.sha256 for probe in probes],
        "task": [TASKS.token_of(row.prefix) for row in rows],
        "prefix": [row.prefix for row in rows],
        "suffix": _answers(rows, probes),
        "file": [row.file for row in rows],
        "line": [row.line for row in rows],
        "box_lines": [
            None if row.suffix is not None or row.error is not None else " ".join(map(_line_and_key, row.regions))
            for row in rows
        ],
        "declared_width": [row.declared_wh[0] if row.declared_wh else None for row in rows],
        "declared_height": [row.declared_wh[1] if row.declared_wh else None for row in rows],
        "line_error": [row.error for row in rows],
        "image_error": [probe.error for probe in probes],
    }
    assert list(columns) == list(COLUMNS)
    unused = {name: ImageProbe() for name in list_images(root) if name not in found}
    files = found | unused
    probed = {field.name: [getattr(probe, field.name) for probe in files.values()] for field in fields(ImageProbe)}
    assert ["image", *probed] == list(IMAGE_COLUMNS)
    return DatasetManifest.from_columns(root, columns, {"image": list(files), **probed}, splits)


def _line_and_key(region: Region) -> str:
    return f"{region.line}:{region.key}" if region.key else str(region.line)


def _with_checked_names(row: Annotation) -> Annotation:
    """Return a row as it is; or with an error, if a text of its regions or a class name is not allowed."""
    is_class = TASKS.token_of(row.prefix) in CLASS_TASKS
    if row.suffix is None:
        texts = [(region.text, region.line) for region in row.regions]
    elif is_class and has_control(row.suffix):
        # Misspelt tokens in an answer that the file gives are reported by the rules.
        names = (span.class_name for span in scan_boxes(row.suffix)[0])
        texts = [(name, row.line) for name in names if _LOCATION not in name]
    else:
        return row
    bad = [
        (line, f"{excerpt(text)} in line {line} {fault}") for text, line in texts if (fault := _fault(text, is_class))
    ]
    if not bad:
        return row
    error = joined([problem for _, problem in bad])
    return Annotation(row.split, row.image, row.file, bad[0][0], row.prefix, "", error=error)


@lru_cache(maxsize=4096)  # a set has few classes and many boxes
def _fault(text: str, is_class: bool) -> str:
    """Return why a text cannot be that of a region; empty if it can."""
    if _LOCATION in text:
        return f"holds {_LOCATION!r}, which would be read as a location"
    # Tabs and line breaks count as blanks: a rule reports them, and its repair replaces them by spaces.
    if is_class and has_control("".join(text.split())):
        return "is a class name with a control character"
    return ""


def _stays_inside(name: str) -> bool:
    return bool(name) and not (posixpath.isabs(name) or name == ".." or name.startswith("../"))


def _answers(rows: list[Annotation], probes: list[ImageProbe]) -> list[str]:
    """Return the suffix of each row; the coordinates of all rows are turned into bins in one array."""
    made = [number for number, row in enumerate(rows) if row.suffix is None]
    extents = {number: _extent(rows[number], probes[number]) for number in made}
    known = [number for number in made if extents[number] is not None]
    lengths = [len(region.points) for number in known for region in rows[number].regions]
    points = np.array(
        [value for number in known for region in rows[number].regions for value in region.points], dtype=np.float64
    ).reshape(-1, 2)
    pairs = [sum(len(region.points) for region in rows[number].regions) // 2 for number in known]
    sizes, roundings = (
        np.repeat(np.array(of_rows, dtype=np.float64).reshape(-1, 2), pairs, axis=0)
        for of_rows in (
            [extents[number] for number in known],
            [_pixel(rows[number], probes[number]) for number in known],
        )
    )
    bins = unclamped_bins(points, sizes, roundings).reshape(-1).tolist()
    ends = np.cumsum([0, *lengths]).tolist()
    spans = iter([tuple(bins[start:end]) for start, end in pairwise(ends)])
    answers = [row.suffix or "" for row in rows]
    for number in known:
        # Without a name its tokens would become a box of the class before it.
        answers[number] = format_spans((region.text or " ", next(spans)) for region in rows[number].regions)
    return answers


def _extent(row: Annotation, probe: ImageProbe) -> tuple[float, float] | None:
    """Return width and height of the image in the unit of the row; None if they are not known."""
    if row.unit == "fractions":
        return 1.0, 1.0
    if row.declared_wh is not None:
        return row.declared_wh
    return (probe.width, probe.height) if probe.width is not None and probe.height is not None else None


def _pixel(row: Annotation, probe: ImageProbe) -> tuple[float, float]:
    """Return width and height of a pixel in the unit of the row: tools that scale images round by as much."""
    if row.unit == "pixels":
        return 1.0, 1.0
    return (1 / probe.width, 1 / probe.height) if probe.width and probe.height else (0.0, 0.0)
