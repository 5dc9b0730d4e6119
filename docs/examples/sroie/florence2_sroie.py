"""Reader of the SROIE receipts (ICDAR 2019).

    img/000.jpg    key/000.json: {"company": "...", "date": "...", "address": "...", "total": "..."}
                   box/000.csv: x1,y1,x2,y2,x3,y3,x4,y4,text            a line for each text on the receipt

Each key is a ``<DocVQA>`` sample with a fixed question, each CSV file an ``<OCR_WITH_REGION>`` sample: the texts with
their outlines in pixels. The set comes without splits; folders called train, valid and test are splits.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from florence2.datasets import DatasetManifest
from florence2.datasets.formats import (
    Annotation,
    BadValueError,
    Format,
    ImageLookup,
    LabelledImage,
    Region,
    checked_text,
    entries,
    excerpt,
    join,
    number,
    read_bytes,
    read_files,
    read_json,
    split_folders,
)
from florence2.errors import AnnotationFileError

__all__ = ["QUESTIONS", "SROIE"]

QUESTIONS = {
    "company": "What is the name of the company on the receipt?",
    "date": "What is the date on the receipt?",
    "address": "What is the address of the company?",
    "total": "What is the total amount?",
}
"""The question of each key."""

_LARGEST_FILE = 16 << 20
_CORNERS = 8


def _recognise(root: Path) -> bool:
    return bool(_find_sources(root))


def _read(root: Path, *, verify: bool = False) -> DatasetManifest:
    """Read a folder: for each receipt a sample for each key, then one for all texts."""
    images = ImageLookup(root)
    return read_files(
        root,
        _find_sources(root),
        lambda split, receipt: _read_receipt(root, split, receipt, images),
        expected="img/*.jpg with key/*.json or box/*.csv",
        verify=verify,
    )


def _find_sources(root: Path) -> list[tuple[str, str]]:
    """Find the annotated receipts: split, and the path of the image without its extension."""
    found = []
    for split, folder in split_folders(root):
        if (root / folder / "img").is_dir():
            keys = {name[:-5] for name in entries(root / folder / "key") if name.endswith(".json")}
            boxes = {name[:-4] for name in entries(root / folder / "box") if name.endswith(".csv")}
            found += [(split, join(folder, f"img/{stem}")) for stem in sorted(keys | boxes)]
    return found


def _read_receipt(root: Path, split: str, receipt: str, images: ImageLookup) -> Iterator[Annotation]:
    folder, _, stem = receipt.rpartition("img/")
    image = images.find(*(f"{receipt}{suffix}" for suffix in (".jpg", ".jpeg", ".png")))
    yield from _read_keys(root, split, image, f"{folder}key/{stem}.json")
    yield from _read_boxes(root, split, image, f"{folder}box/{stem}.csv")


def _read_keys(root: Path, split: str, image: str, file: str) -> Iterator[Annotation]:
    try:
        for key, value, line in read_json(root, file, _LARGEST_FILE):
            try:
                if key not in QUESTIONS:
                    raise BadValueError(f"unknown key {excerpt(key)}; known: {', '.join(QUESTIONS)}")
                answer = checked_text(value, repr(key)).strip()
            except BadValueError as exc:
                yield Annotation(split, image, file, line, "<DocVQA>", "", error=str(exc))
            else:
                yield Annotation(split, image, file, line, f"<DocVQA>{QUESTIONS[key]}", answer)
    except FileNotFoundError:
        return
    except AnnotationFileError as exc:
        yield Annotation(split, image, file, exc.line or 1, "<DocVQA>", "", error=exc.problem)


def _read_boxes(root: Path, split: str, image: str, file: str) -> Iterator[Annotation]:
    try:
        raw = read_bytes(root, file, _LARGEST_FILE).removeprefix(b"\xef\xbb\xbf")
    except FileNotFoundError:
        return
    except AnnotationFileError as exc:
        yield Annotation(split, image, file, exc.line or 1, "<OCR_WITH_REGION>", "", error=exc.problem)
        return
    found = LabelledImage(split, file, image=image)
    for line, text in enumerate(raw.split(b"\n"), start=1):
        if text.strip():
            with found.part(line):
                found.regions.append(_region(text, line))
    if found.regions or found.problems:
        yield found.sample("<OCR_WITH_REGION>")


def _region(raw: bytes, line: int) -> Region:
    """Read a line: eight coordinates in pixels, and a text which may have commas."""
    try:
        parts = raw.decode("utf-8").strip().split(",", _CORNERS)
    except UnicodeDecodeError as exc:
        raise BadValueError(f"line {line} is not valid UTF-8 at byte {exc.start + 1}") from None
    if len(parts) <= _CORNERS:
        raise BadValueError(f"line {line} has {len(parts)} fields, not {_CORNERS} coordinates and a text")
    points = tuple(number(part, f"a coordinate in line {line}") for part in parts[:_CORNERS])
    return Region(parts[_CORNERS].strip(), points, line)


SROIE = Format(
    files="img/ with key/*.json or box/*.csv",
    samples="one `<DocVQA>` sample for each key, one `<OCR_WITH_REGION>` sample for each image",
    recognise=_recognise,
    read=_read,
)
"""The format sroie."""
