"""The COCO detection format, read and written.

    train/_annotations.coco.json  train/*.jpg                  as Roboflow exports it; the root itself: no split
    annotations/instances_train2017.json  train2017/*.jpg      as COCO has it; also images/train2017/ or images/

A row is an image: prefix ``<OD>``, the boxes in the order of the file. Crowds (``iscrowd``) are not single objects and
are left out, and so are images with crowds alone, which are neither labelled nor empty; an object with a polygon alone
has the box of the polygon. A bbox is x, y, width, height in pixels from the corner of the image. An error in an
annotation makes an error of the row of its image, and of no other.
"""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import posixpath
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from florence2.datasets.formats.annotations import Annotation, to_manifest
from florence2.datasets.formats.coco_content import CocoContent
from florence2.datasets.formats.files import (
    SPLIT_NAMES,
    contents_of,
    entries,
    has_file,
    in_split_order,
    join,
    open_annotations,
    read_json,
    split_folders,
)
from florence2.datasets.formats.format import Format, Writer
from florence2.datasets.formats.values import joined
from florence2.datasets.formats.writing import ImageToWrite, class_names, pixel_boxes
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import DatasetError
from florence2.images import list_images

__all__ = ["COCO", "COCO_FILE"]

logger = logging.getLogger(__name__)

COCO_FILE = "_annotations.coco.json"
"""Name of the file of annotations in each split folder."""

_FOLDER = "annotations"
_LARGEST_FILE = 1 << 30
_HEAD = 1 << 16
_KEYS = re.compile(rb'\s*(?:\xef\xbb\xbf)?\s*\{[^{}\[\]]*"(?:images|annotations|categories|info|licenses)"\s*:')
_DECIMALS = 4


def is_coco(root: Path) -> bool:
    """Return whether a folder holds annotations in this format."""
    return bool(_find_sources(root))


def read_coco(root: Path, *, verify: bool = False) -> DatasetManifest:
    """Read a folder in the COCO format.

    Args:
        root: the folder.
        verify: read every image file again, also if its size and time are unchanged.

    Returns:
        A row for each image, in the order train, valid, test, none, and of the images in each file.

    Raises:
        DatasetError: there is no file of annotations, one is not JSON, or no image is listed.
    """
    sources = _find_sources(root)
    if not sources:
        raise DatasetError(
            f"{root}: no COCO annotations found; it must hold train/{COCO_FILE} (likewise valid/, test/) or "
            f"{_FOLDER}/instances_train2017.json; it holds {contents_of(root)}"
        )
    names = frozenset(list_images(root))
    with _without_collection():
        rows = [row for split, file in sources for row in _read_file(root, split, file, names)]
    if not rows:
        files = ", ".join(file for _, file in sources)
        raise DatasetError(
            f"{root}: no image is listed in {files}, or none without crowds alone; export the set again with its images"
        )
    return to_manifest(root, rows, (split for split, _ in sources), verify=verify)


@contextlib.contextmanager
def _without_collection() -> Iterator[None]:
    """Pause the garbage collection of cycles: a large file makes millions of objects, and no cycle among them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _find_sources(root: Path) -> list[tuple[str, str]]:
    """Find the annotation files: pairs of split and path relative to the root, in the order of the splits."""
    per_folder = [(split, join(folder, COCO_FILE)) for split, folder in split_folders(root)]
    found = [source for source in per_folder if has_file(root, source[1])]
    if found:
        return found
    files = [name for name in entries(root / _FOLDER) if name.endswith(".json")]
    # The other files of COCO, captions and keypoints, list the same images again.
    files = [name for name in files if name.startswith("instances_")] or [
        name for name in files if _is_detection_file(root, join(_FOLDER, name))
    ]
    return in_split_order([(_split_of(name), join(_FOLDER, name)) for name in files])


def _is_detection_file(root: Path, file: str) -> bool:
    with open_annotations(root, file) as handle:
        return _KEYS.match(handle.read(_HEAD)) is not None


def _split_of(name: str) -> str:
    words = re.findall("[a-z]+", name.removesuffix(".json").lower())
    return next((SPLIT_NAMES[word] for word in words if word in SPLIT_NAMES), "")


def _read_file(root: Path, split: str, file: str, names: frozenset[str]) -> Iterator[Annotation]:
    content = CocoContent()
    for key, value, line in read_json(root, file, _LARGEST_FILE):
        content.add(key, value, line)
    folders = _image_folders(root, file)
    for image in content.assemble():
        path = _find_image(image.name, folders, names) if image.name else ""
        if image.problems:
            one = len(image.problems) == 1
            error = joined([text if one else f"line {line}: {text}" for line, text in image.problems])
            yield Annotation(split, path, file, image.problems[0][0], "<OD>", "", error=error)
        else:
            yield Annotation(
                split, path, file, image.line, "<OD>", regions=tuple(image.regions), declared_wh=image.size_wh
            )
    if crowds := content.crowds.total():
        logger.info(
            "%s: left out %d crowd box%s, and %d image%s with nothing else on it",
            root / file,
            crowds,
            "" if crowds == 1 else "es",
            content.crowds_alone,
            "" if content.crowds_alone == 1 else "s",
        )


def _image_folders(root: Path, file: str) -> list[str]:
    """Return the folders that may hold the images of an annotation file, the likeliest first."""
    folder, name = posixpath.split(file)
    if name == COCO_FILE:
        return [folder]
    end = name.removesuffix(".json").rpartition("_")[2]
    split = next((word for word in re.findall("[a-z]+", end.lower()) if word in SPLIT_NAMES), end)
    likely = [f"{above}{part}" for part in (end, split) for above in ("", "images/")]
    return [folder for folder in (*likely, "images", "") if (root / folder).is_dir()]


def _find_image(name: str, folders: list[str], names: frozenset[str]) -> str:
    paths = [join(folder, name) for folder in folders]
    return next((path for path in paths if posixpath.normpath(path) in names), paths[0])


def image_path(image: ImageToWrite) -> str:
    """Return the path of an image in a set that ``write_coco`` writes."""
    return join(image.split, image.name)


def write_coco(folder: Path, images: Sequence[ImageToWrite]) -> None:
    """Write the boxes of images as Roboflow does, a file for each split.

    Args:
        folder: of the new set, which holds the images at ``image_path`` already.
        images: with their samples.

    Raises:
        OSError: a file cannot be written.
    """
    category_ids = {name: index for index, name in enumerate(class_names(images), start=1)}
    categories = [{"id": index, "name": name, "supercategory": "none"} for name, index in category_ids.items()]
    for split in dict.fromkeys(image.split for image in images):
        entries: list[dict[str, Any]] = []
        objects: list[dict[str, Any]] = []
        for image in (each for each in images if each.split == split):
            width, height = image.size_wh
            entries.append({"id": len(entries) + 1, "file_name": image.name, "width": width, "height": height})
            for name, (x_min, y_min, x_max, y_max) in pixel_boxes(image):
                sides = round(x_max - x_min, _DECIMALS), round(y_max - y_min, _DECIMALS)
                objects.append(
                    {
                        "id": len(objects) + 1,
                        "image_id": len(entries),
                        "category_id": category_ids[name],
                        "bbox": [x_min, y_min, *sides],
                        "area": round(sides[0] * sides[1], _DECIMALS),
                        "iscrowd": 0,
                    }
                )
        parts = {"images": entries, "annotations": objects, "categories": categories}
        with (folder / split / COCO_FILE).open("x", encoding="utf-8", newline="\n") as handle:
            handle.write("{" + ",\n".join(f'"{key}": [\n{_lines(part)}\n]' for key, part in parts.items()) + "}\n")


def _lines(values: list[dict[str, Any]]) -> str:
    """Write one element on a line, so that messages can name its line."""
    return ",\n".join(json.dumps(value, ensure_ascii=False) for value in values)


COCO = Format(
    files="train/_annotations.coco.json or annotations/instances_*.json",
    samples="one `<OD>` sample for each image",
    recognise=is_coco,
    read=read_coco,
    writer=Writer(image_path, write_coco),
)
"""The format coco."""
