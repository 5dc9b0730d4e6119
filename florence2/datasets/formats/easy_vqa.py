"""Reader of the easy-VQA layout.

train/questions.json    [["what shape is it?", "circle", 7], ...]    question, answer, number of the image
train/images/7.png      and so on for test/; the set has no validation split
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from florence2.datasets.formats.annotations import Annotation, to_manifest
from florence2.datasets.formats.files import contents_of, has_file, join, read_json, split_folders
from florence2.datasets.formats.format import Format
from florence2.datasets.formats.values import BadValueError, checked_name, checked_text, excerpt
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import DatasetError

__all__ = ["EASY_VQA"]

_FILE = "questions.json"
_LARGEST_FILE = 1 << 30


def is_easy_vqa(root: Path) -> bool:
    """Tell whether a folder holds annotations in this layout."""
    return bool(_find_sources(root))


def read_easy_vqa(root: Path, *, verify: bool = False) -> DatasetManifest:
    """Read a folder in the easy-VQA layout.

    Args:
        root: the folder.
        verify: read every image file again, also where size and time are those of the last look.

    Returns:
        A ``<VQA>`` row for each question, in the order train, valid, test, none, and of the file.

    Raises:
        DatasetError: there is no file of questions, one is no JSON, or there is no question.
    """
    sources = _find_sources(root)
    if not sources:
        raise DatasetError(
            f"{root}: no easy-VQA questions found; it must hold train/{_FILE} and train/images/ (likewise test/); "
            f"it holds {contents_of(root)}"
        )
    rows = [row for split, folder in sources for row in _read_folder(root, split, folder)]
    if not rows:
        raise DatasetError(f"{root}: no question in {', '.join(join(folder, _FILE) for _, folder in sources)}")
    return to_manifest(root, rows, (split for split, _ in sources), verify=verify)


def _find_sources(root: Path) -> list[tuple[str, str]]:
    return [
        (split, folder)
        for split, folder in split_folders(root)
        if has_file(root, join(folder, _FILE)) and (root / folder / "images").is_dir()
    ]


def _read_folder(root: Path, split: str, folder: str) -> Iterator[Annotation]:
    file = join(folder, _FILE)
    for _, value, line in read_json(root, file, _LARGEST_FILE):
        try:
            question, answer, image = _parse(value)
        except BadValueError as exc:
            yield Annotation(split, "", file, line, suffix="", error=str(exc))
        else:
            yield Annotation(split, join(folder, f"images/{image}.png"), file, line, f"<VQA>{question}", answer)


def _parse(value: Any) -> tuple[str, str, str]:
    if not isinstance(value, list) or len(value) != 3:
        raise BadValueError(f"{excerpt(value)} is not [question, answer, number of the image]")
    question, answer, image = value
    if isinstance(image, int) and not isinstance(image, bool):
        image = excerpt(image)
    return checked_text(question, "the question"), checked_text(answer, "the answer"), checked_name(image, "the image")


EASY_VQA = Format(
    files="train/questions.json and train/images/",
    samples="one `<VQA>` sample for each question",
    recognise=is_easy_vqa,
    read=read_easy_vqa,
)
"""The format easy-vqa."""
