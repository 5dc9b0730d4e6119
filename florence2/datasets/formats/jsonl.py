"""The Florence JSONL format, read and written.

    train/annotations.jsonl  train/*.png     and so on for valid/ (or val/, validation/) and test/
    annotations.jsonl        *.png           or directly in the folder, when there is no split yet
    _annotations.train.jsonl *.png           or one folder for all splits, as Roboflow exports it

A line is ``{"image": "a.png", "prefix": "<OD>", "suffix": "cat<loc_1><loc_2><loc_3><loc_4>"}``; the image path is
relative to the file. A line that cannot be read becomes a row with an error; a set that cannot be read raises.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from florence2.codec import TASKS, AnswerKind
from florence2.datasets.formats.annotations import Annotation, to_manifest
from florence2.datasets.formats.files import (
    SPLIT_NAMES,
    contents_of,
    entries,
    has_file,
    in_split_order,
    join,
    open_annotations,
)
from florence2.datasets.formats.format import Format, Writer
from florence2.datasets.formats.json_lines import bounded_lines, parse_object
from florence2.datasets.formats.values import BadValueError, checked_name, checked_text, excerpt
from florence2.datasets.formats.writing import ImageToWrite
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import DatasetError

__all__ = ["ANNOTATIONS_FILE", "JSONL"]

ANNOTATIONS_FILE = "annotations.jsonl"
"""Name of the file of annotations in each folder."""

_SINGLE_FOLDER = {f"_annotations.{name}.jsonl": split for name, split in SPLIT_NAMES.items()}
_KEYS = ("image", "prefix", "suffix")
_LINE = '{"image": "a.png", "prefix": "<OD>", "suffix": "..."}'
"""A valid line, for messages."""

_EXPECTED = f"it must hold train/{ANNOTATIONS_FILE} (likewise valid/, test/) or {ANNOTATIONS_FILE} next to the images"


def is_jsonl(root: Path) -> bool:
    """Return whether a folder, or one directly in it, holds annotations in this format."""
    names = entries(root)
    return any(name in _SINGLE_FOLDER for name in names) or any(
        has_file(root, join(folder, ANNOTATIONS_FILE)) for folder in ("", *names)
    )


def read_jsonl(root: Path, *, verify: bool = False) -> DatasetManifest:
    """Read a folder in the Florence JSONL format.

    Args:
        root: the folder.
        verify: read every image file again, also if its size and time are unchanged.

    Returns:
        A row for each line that is not blank, in the order train, valid, test, none, and of the lines in each file.

    Raises:
        DatasetError: the folder or its annotations are missing, a split has images but no annotations, or there is
            no line at all.
    """
    sources = _find_sources(root)
    rows = [row for split, file in sources for row in _read_file(root, split, file)]
    if not rows:
        files = ", ".join(file for _, file in sources)
        raise DatasetError(f"{root}: no annotation in {files}; write a line for each image, or export the set again")
    return to_manifest(root, rows, (split for split, _ in sources), verify=verify)


def _find_sources(root: Path) -> list[tuple[str, str]]:
    """Find the annotation files: pairs of split and path relative to the root, in the order of the splits."""
    names = entries(root)
    sources = [(_SINGLE_FOLDER[name], name) for name in names if name in _SINGLE_FOLDER]
    if has_file(root, ANNOTATIONS_FILE):
        sources.append(("", ANNOTATIONS_FILE))
    for name in names:
        split = SPLIT_NAMES.get(name.lower())
        file = join(name, ANNOTATIONS_FILE)
        if has_file(root, file):
            if split is None:
                raise DatasetError(
                    f"{root / name}: holds {ANNOTATIONS_FILE} but is not a split; "
                    "name it train, valid or test, or move it away"
                )
            sources.append((split, file))
        elif split is not None and (image := _first_image(root / name)) is not None:
            raise DatasetError(
                f"{root / name}: holds images such as {image.name} but no {ANNOTATIONS_FILE}; "
                "add it or remove the folder"
            )
    if not sources:
        raise DatasetError(f"{root}: no {ANNOTATIONS_FILE} found; {_EXPECTED}; it holds {contents_of(root)}")
    return in_split_order(sources)


def _first_image(folder: Path) -> Path | None:
    suffixes = Image.registered_extensions()
    return next((path for path in sorted(folder.rglob("*")) if path.suffix.lower() in suffixes), None)


def _read_file(root: Path, split: str, file: str) -> Iterator[Annotation]:
    folder = file.rpartition("/")[0]
    try:
        with open_annotations(root, file) as handle:
            for number, raw in enumerate(bounded_lines(handle), start=1):
                try:
                    values = _parse(raw)
                except BadValueError as exc:
                    yield Annotation(split, "", file, number, suffix="", error=f"{exc}; a line is {_LINE}")
                    continue
                if values is not None:
                    image = join(folder, values["image"])
                    yield Annotation(split, image, file, number, values["prefix"], values["suffix"])
    except OSError as exc:
        raise DatasetError(f"{root / file}: cannot be read ({exc.strerror}); check the file's permissions") from exc


def _parse(raw: bytes) -> dict[str, str] | None:
    """Return the three texts of a line, None if it is blank.

    Raises:
        BadValueError: the line is not an annotation.
    """
    values = parse_object(raw)
    if values is not None and (problems := _problems(values)):
        raise BadValueError("; ".join(problems))
    return values


def _problems(values: dict[str, Any]) -> list[str]:
    """Return everything that keeps a JSON object from being an annotation."""
    problems = [f"no key {key!r}" for key in _KEYS if key not in values]
    problems += [f"unknown key {excerpt(key)}" for key in values if key not in _KEYS]
    for key in _KEYS:
        check = checked_name if key == "image" else checked_text
        if key in values:
            try:
                check(values[key], repr(key))
            except BadValueError as exc:
                problems.append(str(exc))
    return problems


def image_path(image: ImageToWrite) -> str:
    """Return the path of an image in a set that ``write_jsonl`` writes."""
    return join(image.split, image.name)


def write_jsonl(folder: Path, images: Sequence[ImageToWrite]) -> None:
    """Write the samples of images, a line for each, in order.

    The format cannot express that an image has no objects: such an image has no line.

    Args:
        folder: of the new set, which holds the images at ``image_path`` already.
        images: with their samples.

    Raises:
        OSError: a file cannot be written.
    """
    boxes = TASKS.tokens_of(AnswerKind.BOXES)
    for split in dict.fromkeys(image.split for image in images):
        lines = [
            json.dumps({"image": image.name, "prefix": prefix, "suffix": suffix}, ensure_ascii=False)
            for image in images
            if image.split == split
            for prefix, suffix in image.rows
            if suffix or TASKS.token_of(prefix) not in boxes
        ]
        with (folder / split / ANNOTATIONS_FILE).open("x", encoding="utf-8", newline="\n") as handle:
            handle.writelines(line + "\n" for line in lines)


JSONL = Format(
    files="train/annotations.jsonl or _annotations.train.jsonl",
    samples="one for each line",
    recognise=is_jsonl,
    read=read_jsonl,
    writer=Writer(image_path, write_jsonl, boxes_only=False),
)
"""The format jsonl."""
