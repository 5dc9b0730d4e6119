"""Write a data set in another format: images and annotations, complete or not at all.

Coordinates are written so that reading them gives the same location bins; names of classes, images and splits stay.
"""

from __future__ import annotations

import posixpath
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from florence2.codec import BINS, CLASS_TASKS, AnswerKind, BoxSpan, TaskTable, box_problem, scan_boxes
from florence2.datasets.formats.format import Writer
from florence2.datasets.formats.registry import FORMATS, usable
from florence2.datasets.formats.writing import ImageToWrite
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import DatasetError
from florence2.storage import atomic_folder, check_new_folder, is_inside, open_regular

__all__ = ["Conversion", "convert", "writable_formats"]

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Conversion:
    """What was written.

    Attributes:
        target: the new folder.
        images: how many images are in it.
        rows: how many rows of the manifest are in it.
        without_objects: how many images have no objects; jsonl cannot express that and has no line for them.
        skipped: how many rows were left out, by what the format cannot hold.
    """

    target: Path
    images: int
    rows: int
    without_objects: int
    skipped: Mapping[str, int]


def convert(
    manifest: DatasetManifest,
    target: Path,
    to: str,
    *,
    skip_unsupported: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Conversion:
    """Write a data set in another format.

    Images are copied byte by byte, so that a change in one set leaves the other alone. An image keeps its split and its
    path below the folder that all images of its split have in common. The new folder appears when it is complete; after
    an error or an interrupt nothing is left of it.

    Args:
        manifest: the data set; validation may have repaired it, or left rows out.
        target: the new folder; must not exist, or be empty.
        to: the format, one of ``writable_formats()``. All but jsonl hold one ``<OD>`` row for each image and no more.
        skip_unsupported: leave out the rows that the format cannot hold.
        progress: called after each image with the number of images written so far, and of all.

    Returns:
        What was written and what was left out.

    Raises:
        DatasetError: the format cannot be written, the target is in use, a row cannot be read or breaks a rule, or
            the format cannot hold a row; nothing is written then.
    """
    writer = _writer(to)
    root = manifest.fetch_root().resolve()
    _check_target(root, target)
    rows = [{str(key): value for key, value in row.items()} for row in manifest.table.to_dict("records")]
    _check_rows(rows, manifest.tasks)
    rows, skipped = _supported(rows, to, writer.boxes_only, skip_unsupported)
    if not rows:
        raise DatasetError(f"{manifest.name}: no row is left to be written as {to}")
    images, sources = _images(rows)
    with atomic_folder(target, error=DatasetError) as folder:
        for number, (image, source) in enumerate(zip(images, sources, strict=True), start=1):
            _copy_image(root, source, folder / writer.image_path(image))
            if progress is not None:
                progress(number, len(images))
        writer.write(folder, images)
    empty = sum(not any(suffix for _, suffix in image.rows) for image in images)
    return Conversion(target, len(images), len(rows), empty, skipped)


def writable_formats() -> tuple[str, ...]:
    """Return the names of the formats that can be written."""
    return tuple(name for name, format in usable(FORMATS).items() if format.writer is not None)


def _writer(to: str) -> Writer:
    writer = FORMATS[to].writer if to in FORMATS else None
    if writer is None:
        raise DatasetError(f"cannot write {to!r}; give one of {', '.join(writable_formats())}")
    return writer


def _check_target(root: Path, target: Path) -> None:
    check_new_folder(target, DatasetError)
    if is_inside(target, str(root)):
        raise DatasetError(f"{target}: lies in the data set that is to be converted; give a folder outside of it")


def _check_rows(rows: Sequence[Mapping[str, Any]], tasks: TaskTable) -> None:
    """Raise if a row cannot be read, or a box is not valid."""
    bad = [found for row in rows if (found := _row_problem(row, tasks))]
    if bad:
        where, problem = bad[0]
        raise DatasetError(
            f"{len(bad)} of {len(rows)} rows cannot be converted, the first is {where}: {problem}; "
            "correct them (florence2 validate lists all), or convert with --on-error repair or quarantine"
        )


def _row_problem(row: Mapping[str, Any], tasks: TaskTable) -> tuple[str, str] | None:
    """Return file and line of a row, or of its first bad box, and what is wrong with it; None if nothing is."""
    where = f"{row['file']}:{row['line']}"
    for column in ("line_error", "image_error"):
        if isinstance(row[column], str):
            return where, f"{row['image']}: {row[column]}".removeprefix(": ")
    task = tasks.get(row["task"])
    if task is None or task.answer in (AnswerKind.ANSWER, AnswerKind.TEXT, AnswerKind.JSON):
        return None
    spans, rest = scan_boxes(row["suffix"])
    lines = row["box_lines"].split() if isinstance(row["box_lines"], str) else []
    for number, span in enumerate(spans):
        if problem := _span_problem(span, task.answer):
            return (f"{row['file']}:{lines[number].partition(':')[0]}" if len(lines) == len(spans) else where), problem
    if rest.strip() and task.answer is AnswerKind.BOXES:
        return where, f"{rest.strip()[:80]!r} has no location tokens after it"
    return None


def _span_problem(span: BoxSpan, answer: AnswerKind) -> str:
    if answer is AnswerKind.BOXES:
        return box_problem(span.class_name, span.bins) or ""
    outside = [index for index in span.bins if not 0 <= index < BINS]
    return f"location {outside[0]} is not within 0 and {BINS - 1}" if outside else ""


def _supported(
    rows: Sequence[dict[str, Any]], to: str, boxes_only: bool, skip: bool
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Return the rows that a format can hold, and how many it cannot hold for each reason."""
    if not boxes_only:
        return list(rows), {}
    kept: list[dict[str, Any]] = []
    left: list[tuple[str, dict[str, Any]]] = []
    seen: set[tuple[str, str]] = set()
    for row in rows:
        image = (row["split"], row["image"])
        if row["prefix"].strip() not in CLASS_TASKS:
            left.append((row["task"] or "no task", row))
        elif image in seen:
            left.append((f"second {row['prefix'].strip()} of an image", row))
        else:
            seen.add(image)
            kept.append(row)
    counts = dict(Counter(reason for reason, _ in left))
    if left and not skip:
        reasons = ", ".join(f"{count} of {reason}" for reason, count in counts.items())
        first = left[0][1]
        raise DatasetError(
            f"{to} holds one {' or '.join(CLASS_TASKS)} row for each image; it cannot hold {reasons}, the first is "
            f"{first['file']}:{first['line']}; write jsonl, or give --skip-unsupported to leave them out"
        )
    return kept, counts


def _images(rows: Sequence[Mapping[str, Any]]) -> tuple[list[ImageToWrite], list[str]]:
    """Gather the rows of each image; return the images and the path of each relative to the root."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["split"], row["image"]), []).append(row)
    folders: dict[str, list[str]] = {}
    for split, image in groups:
        folders.setdefault(split, []).append("/" + posixpath.dirname(image))
    common = {split: posixpath.commonpath(paths) for split, paths in folders.items()}
    images = [
        ImageToWrite(
            split,
            posixpath.relpath("/" + image, common[split]),
            (int(group[0]["width"]), int(group[0]["height"])),
            tuple((str(row["prefix"]), str(row["suffix"])) for row in group),
        )
        for (split, image), group in groups.items()
    ]
    return images, [image for _, image in groups]


def _copy_image(root: Path, name: str, target: Path) -> None:
    """Copy an image of the data set to its new path; a link out of the data set is not followed."""
    if not is_inside(root / name, str(root)):
        raise DatasetError(
            f"{root / name}: leads out of the data set's folder; copy the image itself into the data set"
        )
    try:
        source = open_regular(root / name)
    except OSError as exc:
        problem = f"can no longer be read ({exc.strerror})"
        raise DatasetError(f"{root / name}: {problem}; read the data set again") from exc
    target.parent.mkdir(parents=True, exist_ok=True)
    with source, target.open("xb") as copy:  # two images at one path would overwrite each other
        shutil.copyfileobj(source, copy, _BLOCK)
