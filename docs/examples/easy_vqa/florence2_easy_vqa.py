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
    excerpt,
    has_file,
    join,
    read_files,
    read_json,
    split_folders,
)

__all__ = ["EASY_VQA"]

_FILE = "questions.json"
_LARGEST_FILE = 1 << 30


def _find_sources(root: Path) -> list[tuple[str, str]]:
    """Find the files of questions: pairs of split and path."""
    return [
        (split, join(folder, _FILE))
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


def _read_file(root: Path, split: str, file: str) -> Iterator[Annotation]:
    """Yield the questions of a file; one that cannot be read with the reason."""
    folder = file.removesuffix(_FILE)
    for _, value, line in read_json(root, file, _LARGEST_FILE):
        try:
            question, answer, image = _parse(value)
        except BadValueError as exc:
            yield Annotation(split, "", file, line, suffix="", error=str(exc))
        else:
            yield Annotation(split, f"{folder}images/{image}.png", file, line, f"<VQA>{question}", answer)


def _read(root: Path, *, verify: bool = False) -> DatasetManifest:
    """Read a folder; raises a DatasetError where it holds no question at all, or a file is not JSON."""
    return read_files(
        root,
        _find_sources(root),
        lambda split, file: _read_file(root, split, file),
        expected=f"train/{_FILE} and train/images/ (likewise test/)",
        verify=verify,
    )


EASY_VQA = Format(
    files="train/questions.json and train/images/",
    samples="one `<VQA>` sample for each question",
    recognise=_recognise,
    read=_read,
)
"""The format easy-vqa."""
