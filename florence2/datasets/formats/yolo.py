"""The YOLO format, read and written.

    data.yaml              names: [cat, dog]   train: train/images   val: valid/images   test: test/images
    train/images/a.jpg     train/labels/a.txt: class number and box, or class number and polygon, a line for each

    classes.txt            without data.yaml; or nothing that names the classes, which are then called by number

A row is an image: prefix ``<OD>``, the boxes in the order of its label file; a polygon has the box around it. The
path of a label file is that of its image with ``labels`` for the last folder ``images``. An image whose label file is
missing or empty has no objects, but a split must have one label file at least. A label file without an image is a row
whose image is missing. All numbers are fractions of the image: x_center, y_center, width, height.
"""

from __future__ import annotations

import codecs
import logging
import os
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import yaml

from florence2.datasets.formats.annotations import Annotation, Region, to_manifest
from florence2.datasets.formats.files import contents_of, join, read_bytes, read_text
from florence2.datasets.formats.format import Format, SingleFile, Writer
from florence2.datasets.formats.values import BadValueError, checked_name, excerpt, joined, number
from florence2.datasets.formats.writing import ImageToWrite, class_names, pixel_boxes, unique_stems
from florence2.datasets.formats.yolo_files import find_label_file, label_file, pairs_below
from florence2.datasets.formats.yolo_layout import find_class_names, has_label_files, split_sources
from florence2.datasets.formats.yolo_yaml import YoloYaml, find_yolo_yaml, is_yolo_yaml, locate_below, read_yolo_yaml
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import AnnotationFileError, DatasetError
from florence2.images import list_images

__all__ = ["YOLO"]

logger = logging.getLogger(__name__)

_YAML = "data.yaml"
_LARGEST_LABELS = 16 << 20
_LARGEST_LIST = 256 << 20
_DECIMALS = 9


def is_yolo(root: Path) -> bool:
    """Return whether a folder holds annotations in this format."""
    return find_yolo_yaml(root) is not None


def is_probably_yolo(root: Path) -> bool:
    """Return whether a folder without a data.yaml holds label files."""
    return has_label_files(root)


def read_yolo(root: Path, *, verify: bool = False) -> DatasetManifest:
    """Read a folder in the YOLO format.

    Args:
        root: the folder.
        verify: read every image file again, also if its size and time are unchanged.

    Returns:
        A row for each image, in the order train, valid, test, none, and of their paths.

    Raises:
        DatasetError: there are neither a data.yaml nor label files, a file cannot be used, the folders that it names
            hold no image, or a split has images and not one label file.
    """
    file = find_yolo_yaml(root)
    if file is None and not has_label_files(root):
        raise DatasetError(
            f"{root}: neither {_YAML} nor label files found, as labels/a.txt or train/labels/a.txt; it holds "
            f"{contents_of(root)}"
        )
    return read_yolo_file(root, file or "", verify=verify)


def read_yolo_file(root: Path, file: str, *, verify: bool = False) -> DatasetManifest:
    """Read a set by its data.yaml, of whatever name; as ``read_yolo``.

    Args:
        root: the folder that its paths are relative to.
        file: path relative to the root; empty for a set without one.
        verify: read every image file again, also if its size and time are unchanged.
    """
    content = read_yolo_yaml(root, file) if file else YoloYaml("", None, split_sources(root), ())
    content = _with_names(root, content)
    images = list_images(root)
    if content.missing and not any(split == "train" for split, _ in content.sources):
        raise DatasetError(
            f"{root / file}: {_missing(content)} does not exist; write the folder of the images relative to {file}"
        )
    if content.missing:
        logger.warning("%s: %s does not exist and is left out", root / file, _missing(content))
    sources = content.sources or (("", ""),)
    splits = dict.fromkeys(split for split, _ in sources)
    rows = [row for split in splits for row in _read_split(root, split, sources, content, images)]
    if not rows:
        raise DatasetError(
            f"{root / file}: there is no image in the folders that it names; the data set holds {contents_of(root)}"
        )
    return to_manifest(root, rows, filter(None, splits), verify=verify)


def find_root(file: Path) -> Path | None:
    """Return the folder of the data set of a data.yaml of whatever name; None if the file is none.

    It is the folder of the file; or the one above, if only there are the images of the training split.
    """
    if not is_yolo_yaml(file):
        return None
    above = file.parent.parent
    content = read_yolo_yaml(file.parent, file.name)
    if content.missing and not content.sources and read_yolo_yaml(above, f"{file.parent.name}/{file.name}").sources:
        return above
    return file.parent


def _with_names(root: Path, content: YoloYaml) -> YoloYaml:
    """Return the content with class names: its own, or those of a list such as classes.txt."""
    if content.names is not None:
        return content
    found = find_class_names(root)
    if found is not None:
        return replace(content, names=found[1], names_file=found[0])
    remedy = f"write names: [first class, second class, ...] into {_YAML}, or one name on each line of classes.txt"
    logger.warning("%s: nothing names the classes, so they are called class 0, class 1 and so on; %s", root, remedy)
    return content


def _missing(content: YoloYaml) -> str:
    return ", ".join(f"{key}: {ascii(path)[1:-1]}" for key, path in content.missing)


def _read_split(
    root: Path, split: str, sources: Sequence[tuple[str, str]], content: YoloYaml, images: list[str]
) -> Iterator[Annotation]:
    """Read the folders and lists of images of one split."""
    found = [item for each, source in sources if each == split for item in _list(root, split, source, images)]
    _refuse_unlabelled(root, split, [item for item in found if not isinstance(item, Annotation)], content)
    for item in found:
        yield item if isinstance(item, Annotation) else _read_labels(root, split, *item, content)


def _list(root: Path, split: str, source: str, images: list[str]) -> Iterator[tuple[str, str] | Annotation]:
    """Yield image and label file for each image of a folder or of a list; a row for a line that names none."""
    if (root / source).is_dir():
        yield from pairs_below(root, source, images)
        return
    known = frozenset(images)
    for line, text in enumerate(read_text(root, source, _LARGEST_LIST).split("\n"), start=1):
        if not text.strip():
            continue
        try:
            listed = checked_name(text.strip(), "the path of an image")
        except BadValueError as exc:
            yield Annotation(split, "", source, line, "<OD>", "", error=str(exc))
            continue
        neighbour = posixpath.normpath(join(posixpath.dirname(source), listed))
        found = neighbour if neighbour in known else locate_below(root, "", listed)
        # Without an image there are no labels to find; the row has the error of its image, missing or outside.
        yield (
            Annotation(split, listed, source, line, "<OD>") if found is None else (found, find_label_file(root, found))
        )


def _refuse_unlabelled(root: Path, split: str, pairs: Sequence[tuple[str, str]], content: YoloYaml) -> None:
    """Raise if no image has a label file: more likely their folder is missing than all images are empty."""
    if not pairs or any(os.path.lexists(root / labels) for _, labels in pairs):
        return
    count = f"{len(pairs)} image{'' if len(pairs) == 1 else 's'}"
    expected = pairs[0][1]
    folder = next(above for above in (root / expected).parents if above.is_dir())
    raise DatasetError(
        f"{root / content.file}: {split or 'the data set'} has {count} and no label file; expected "
        f"{expected!a} and so on, but {folder} holds {contents_of(folder)}; put the label files there (an empty one "
        "for an image without objects), or remove the split"
    )


def _read_labels(root: Path, split: str, image: str, file: str, content: YoloYaml) -> Annotation:
    try:
        for name in (file, image):
            checked_name(name, "the name of an image or of its label file")
        raw = read_bytes(root, file, _LARGEST_LABELS)
    except BadValueError as exc:
        return Annotation(split, "", content.file, 1, "<OD>", "", error=str(exc))
    except FileNotFoundError:
        raw = b""
    except AnnotationFileError as exc:
        return Annotation(split, image, file, exc.line or 1, "<OD>", "", error=exc.problem)
    regions, problems = [], []
    for line, text in enumerate(raw.removeprefix(codecs.BOM_UTF8).split(b"\n"), start=1):
        if text.strip():
            try:
                regions.append(_region(text, content, line))
            except BadValueError as exc:
                problems.append((line, str(exc)))
    if problems:
        error = joined([text for _, text in problems])
        return Annotation(split, image, file, problems[0][0], "<OD>", "", error=error)
    return Annotation(split, image, file, 1, "<OD>", regions=tuple(regions), unit="fractions")


def _region(raw: bytes, content: YoloYaml, line: int) -> Region:
    """Read a line: five numbers are a box, more of an odd count a polygon."""
    try:
        parts = raw.decode("ascii").split()
    except UnicodeDecodeError:
        raise BadValueError(f"line {line} is {excerpt(raw)}, not numbers") from None
    if len(parts) < 5 or len(parts) == 6 or len(parts) % 2 == 0:
        raise BadValueError(f"line {line} has {len(parts)} numbers, not 5 (class and box) or 7, 9, ... (and polygon)")
    index = number(parts[0], f"the class in line {line}")
    names = content.names
    if not index.is_integer() or index < 0 or (names is not None and index >= len(names)):
        known = (
            f", but {content.names_file} names 0 to {len(names) - 1}" if names is not None else ", not a class number"
        )
        raise BadValueError(f"the class in line {line} is {excerpt(parts[0])}{known}")
    values = [number(part, f"a number in line {line}") for part in parts[1:]]
    if len(values) == 4:
        x, y, width, height = values
        box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    else:
        box = (min(values[0::2]), min(values[1::2]), max(values[0::2]), max(values[1::2]))
    name = f"class {int(index)}" if names is None else names[int(index)]
    return Region(name, tuple(round(value, _DECIMALS) for value in box), line)  # 0.35 - 0.5 / 2 is less than 0.1


def image_path(image: ImageToWrite) -> str:
    """Return the path of an image in a set that ``write_yolo`` writes."""
    return join(image.split, f"images/{image.name}")


def write_yolo(folder: Path, images: Sequence[ImageToWrite]) -> None:
    """Write the boxes of images: a label file for each, and data.yaml.

    Args:
        folder: of the new set, which holds the images at ``image_path`` already.
        images: with their samples.

    Raises:
        DatasetError: two images share a label file, no image has a box, only some images have a split, or YOLO
            does not find an image by its extension.
        OSError: a file cannot be written.
    """
    unique_stems(images)
    names = class_names(images)
    numbers = {name: index for index, name in enumerate(names)}
    if not names:
        raise DatasetError("the data set has no box, and YOLO needs a class at least; write coco instead")
    splits = {image.split for image in images}
    if "" in splits and len(splits) > 1:
        raise DatasetError(
            "some images have no split and others have one, which YOLO cannot express; give each a split, or write coco"
        )
    found = frozenset(list_images(folder))
    for image in images:
        path = image_path(image)
        if path not in found:
            raise DatasetError(f"image {image.name!r}: YOLO finds images by their extension; rename it, or write coco")
        file = folder / label_file(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        width, height = image.size_wh
        with file.open("x", encoding="ascii", newline="\n") as handle:
            for name, (x_min, y_min, x_max, y_max) in pixel_boxes(image):
                centre = (x_min + x_max) / 2 / width, (y_min + y_max) / 2 / height
                sides = (x_max - x_min) / width, (y_max - y_min) / height
                handle.write(" ".join([str(numbers[name]), *(f"{part:.{_DECIMALS}f}" for part in centre + sides)]))
                handle.write("\n")
    keys = {"val" if split == "valid" else split: f"{split}/images" for split in ("train", "valid", "test")}
    values = {key: path for key, path in keys.items() if path.split("/")[0] in splits}
    with (folder / _YAML).open("x", encoding="utf-8", newline="\n") as handle:
        yaml.safe_dump({**values, "nc": len(names), "names": list(names)}, handle, allow_unicode=True, sort_keys=False)


YOLO = Format(
    files="data.yaml with names, or labels/*.txt",
    samples="one `<OD>` sample for each image",
    recognise=is_yolo,
    read=read_yolo,
    writer=Writer(image_path, write_yolo),
    guess=is_probably_yolo,
    single=SingleFile(find_root, read_yolo_file),
)
"""The format yolo."""
