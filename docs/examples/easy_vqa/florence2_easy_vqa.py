"""Reader of easy-VQA: questions about images of one coloured shape.

train/questions.json    [["what shape is it?", "circle", 7], ...]    question, answer, number of the image
train/images/7.png      and so on for test/; the set has no validation split
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from florence2.datasets import DatasetManifest
from florence2.datasets.formats import (
    Annotation,
    BadValueError,
    Format,
    checked_name,
    checked_text,
    contents_of,
    excerpt,
    has_file,
    join,
    read_json,
    split_folders,
    to_manifest,
)
from florence2.errors import DatasetError

__all__ = ["EASY_VQA"]

_FILE = "questions.json"
_LARGEST_FILE = 1 << 30


def _find_sources(root: Path) -> list[tuple[str, str]]:
    """Find the folders with questions: pairs of split and folder."""
    return [
        (split, folder)
        for split, folder in split_folders(root)
        if has_file(root, join(folder, _FILE)) and (root / folder / "images").is_dir()
    ]


def _recognise(root: Path) -> bool:
    return bool(_find_sources(root))


def _parse(value: Any) -> tuple[str, str, str]:
    """Return question, answer and image of an entry."""
    if not isinstance(value, list) or len(value) != 3:
        raise BadValueError(f"{excerpt(value)} is not [question, answer, number of the image]")
    question, answer, image = value
    if isinstance(image, int) and not isinstance(image, bool):
        image = excerpt(image)
    return checked_text(question, "the question"), checked_text(answer, "the answer"), checked_name(image, "the image")


def _read_folder(root: Path, split: str, folder: str) -> Iterator[Annotation]:
    """Yield the questions of a folder; one that cannot be read with the reason."""
    file = join(folder, _FILE)
    for _, value, line in read_json(root, file, _LARGEST_FILE):
        try:
            question, answer, image = _parse(value)
        except BadValueError as exc:
            yield Annotation(split, "", file, line, suffix="", error=str(exc))
        else:
            yield Annotation(split, join(folder, f"images/{image}.png"), file, line, f"<VQA>{question}", answer)


def _read(root: Path, *, verify: bool = False) -> DatasetManifest:
    """Read a folder; raises a DatasetError where it holds no question at all, or a file is not JSON."""
    sources = _find_sources(root)
    if not sources:
        raise DatasetError(
            f"{root}: no easy-VQA questions found; it must hold train/{_FILE} and train/images/ (likewise test/); "
            f"it holds {contents_of(root)}"
        )
    rows = [row for split, folder in sources for row in _read_folder(root, split, folder)]
    if not rows:
        files = ", ".join(join(folder, _FILE) for _, folder in sources)
        raise DatasetError(f"{root}: no question in {files}; copy the data set again")
    return to_manifest(root, rows, (split for split, _ in sources), verify=verify)


EASY_VQA = Format(
    files="train/questions.json and train/images/",
    samples="one `<VQA>` sample for each question",
    recognise=_recognise,
    read=_read,
)
"""The format easy-vqa."""
