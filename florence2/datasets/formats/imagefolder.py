"""The image folder of Hugging Face ``datasets``: images with ``metadata.jsonl`` or ``metadata.csv``.

    train/metadata.jsonl  train/*.png       and so on for validation/ and test/; also below data/
    metadata.jsonl  *.png                   or in the folder itself, where train/a.png as file_name gives the split

A line is an image, ``file_name`` relative to the file. Its samples, in this order: ``<OD>`` of ``objects``, whose boxes
are x, y, width, height in pixels as in COCO; ``<CAPTION>`` of ``text`` or ``caption``; ``<VQA>`` of ``question`` and
``answer`` (or ``answers``, of which the most frequent counts). Numbers of classes become names where the card or
``dataset_infos.json`` names them.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from florence2.datasets.formats.annotations import Annotation
from florence2.datasets.formats.files import (
    SPLIT_NAMES,
    has_file,
    in_split_order,
    join,
    open_annotations,
    split_folders,
)
from florence2.datasets.formats.format import Format
from florence2.datasets.formats.image_lookup import ImageLookup
from florence2.datasets.formats.imagefolder_names import read_class_names
from florence2.datasets.formats.json_lines import bounded_lines, parse_object
from florence2.datasets.formats.labelled_image import LabelledImage
from florence2.datasets.formats.reading import read_files, single_file, starts_like
from florence2.datasets.formats.tables import read_table
from florence2.datasets.formats.values import BadValueError, checked_name, checked_text, excerpt, number, pixel_size
from florence2.datasets.manifest import DatasetManifest

__all__ = ["IMAGEFOLDER"]

_FILES = ("metadata.jsonl", "metadata.csv")
_KEY = re.compile(rb"\bfile_name\b")
_LARGEST_TABLE = 1 << 30
_CATEGORY_KEYS = ("categories", "category", "labels", "label", "category_id", "class")
_Line = tuple[dict[str, Any] | BadValueError, int]


def _find_sources(root: Path) -> list[tuple[str, str]]:
    tops = [("", root), ("data", root / "data")]
    return in_split_order(
        [
            (split, join(top, join(folder, file)))
            for top, path in tops
            if path.is_dir()
            for split, folder in split_folders(path)
            for file in _FILES
            if _holds(root, join(top, join(folder, file)))
        ]
    )


def _holds(root: Path, file: str) -> bool:
    return posixpath.basename(file) in _FILES and has_file(root, file) and starts_like(root, file, _KEY)


def _recognise(root: Path) -> bool:
    return bool(_find_sources(root))


def _read(root: Path, *, verify: bool = False) -> DatasetManifest:
    """Read a folder: the samples of each line, in the order train, valid, test, none."""
    return _read_sources(root, _find_sources(root), verify=verify)


def _read_sources(root: Path, sources: Sequence[tuple[str, str]], *, verify: bool = False) -> DatasetManifest:
    images, names = ImageLookup(root), read_class_names(root)
    return read_files(
        root,
        sources,
        lambda split, file: _read_file(root, split, file, images, names),
        expected="train/metadata.jsonl or train/metadata.csv with file_name (likewise validation/, test/)",
        verify=verify,
    )


def _read_file(root: Path, split: str, file: str, images: ImageLookup, names: Sequence[str]) -> Iterator[Annotation]:
    for values, line in _lines(root, file):
        found = LabelledImage(split, file, line)
        samples: list[tuple[str, str]] = []
        has_objects = isinstance(values, dict) and isinstance(values.get("objects"), dict | list)
        with found.part(line):
            if isinstance(values, BadValueError):
                raise values
            name = checked_name(values.get("file_name"), "'file_name'")
            found.split = split or SPLIT_NAMES.get(name.partition("/")[0].lower(), "")
            found.image = images.find(name, folders=[posixpath.dirname(file)])
            found.declared_wh = pixel_size(values.get("width"), values.get("height"))
            samples = _texts(values)
            if has_objects:
                _add_objects(found, values["objects"], names)
            elif not samples:
                keys = ", ".join(excerpt(key) for key in list(values)[:8])
                raise BadValueError(f"there is no 'objects', 'text' or 'question' with 'answer', only {keys}")
        if found.problems or has_objects:
            yield found.sample()
        if not found.problems:
            for prefix, suffix in samples:
                yield Annotation(found.split, found.image, file, line, prefix, suffix)


def _lines(root: Path, file: str) -> Iterator[_Line]:
    """Yield the values of each line, or what is wrong with it, and its number."""
    if file.endswith(".csv"):
        yield from read_table(root, file, _LARGEST_TABLE)
        return
    with open_annotations(root, file) as handle:
        for line, raw in enumerate(bounded_lines(handle), start=1):
            try:
                values = parse_object(raw)
            except BadValueError as exc:
                yield exc, line
                continue
            if values is not None:
                yield values, line


def _texts(values: dict[str, Any]) -> list[tuple[str, str]]:
    """Return prefix and suffix of the samples with texts."""
    samples = []
    caption = values.get("text", values.get("caption"))
    if caption is not None:
        samples.append(("<CAPTION>", checked_text(caption, "the caption")))
    if values.get("question") is not None:
        answers = values.get("answer", values.get("answers"))
        given = [checked_text(each, "an answer") for each in (answers if isinstance(answers, list) else [answers])]
        if not given:
            raise BadValueError("'answers' is empty")
        question = checked_text(values["question"], "'question'")
        samples.append((f"<VQA>{question}", Counter(given).most_common(1)[0][0]))
    return samples


def _add_objects(found: LabelledImage, objects: Any, names: Sequence[str]) -> None:
    """Add the boxes of an image: lists of boxes and of categories, or a list of objects with one of each."""
    if isinstance(objects, list):
        if any(not isinstance(each, dict) for each in objects):
            raise BadValueError(f"'objects' is {excerpt(objects)}, not a list of JSON objects")
        pairs = [(each.get("bbox"), _category(each)) for each in objects]
    else:
        boxes, categories = objects.get("bbox"), _category(objects)
        if not isinstance(boxes, list) or not isinstance(categories, list) or len(boxes) != len(categories):
            raise BadValueError(
                f"'objects' has the boxes {excerpt(boxes)} and the categories {excerpt(categories)}, "
                "not a list of each with the same length"
            )
        pairs = list(zip(boxes, categories, strict=True))
    for box, category in pairs:
        if not isinstance(box, list) or len(box) != 4:
            raise BadValueError(f"a bbox is {excerpt(box)}, not [x, y, width, height]")
        x, y, width, height = (number(each, "a number of bbox") for each in box)
        found.add(_name(category, names), (x, y, x + width, y + height), found.line)


def _category(values: dict[str, Any]) -> Any:
    key = next((key for key in _CATEGORY_KEYS if key in values), None)
    if key is None:
        raise BadValueError(
            f"'objects' has no 'categories', only {', '.join(excerpt(key) for key in list(values)[:8])}"
        )
    return values[key]


def _name(category: Any, names: Sequence[str]) -> str:
    """Return the name of a class: the text, or the name of the number, or the number where there are no names."""
    if type(category) is not int:
        return checked_text(category, "a category")
    if not names:
        return excerpt(category)
    if not 0 <= category < len(names):
        raise BadValueError(f"the category {excerpt(category)} is not one of the {len(names)} names of the card")
    return names[category]


IMAGEFOLDER = Format(
    files="train/metadata.jsonl or train/metadata.csv with file_name",
    samples="`<OD>`, `<CAPTION>` and `<VQA>` samples, by the columns",
    recognise=_recognise,
    read=_read,
    single=single_file(_holds, _read_sources),
)
"""The format imagefolder."""
