"""The COCO detection format, read and written.

    train/_annotations.coco.json  train/*.jpg                  as Roboflow exports it; the root itself: no split
    annotations/instances_train2017.json  train2017/*.jpg      as COCO has it; also images/train2017/ or images/
    result.json  images/*.jpg                                  as Label Studio exports it; the file has any name

Splits are named by the file, by the folders that it is in, or by those of the images.

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
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from florence2.datasets.formats.annotations import Annotation, to_manifest
from florence2.datasets.formats.coco_content import CocoContent
from florence2.datasets.formats.coco_files import (
    COCO_FILE,
    find_coco_files,
    holds_coco,
)
from florence2.datasets.formats.coco_images import find_root, image_folders
from florence2.datasets.formats.files import SPLIT_NAMES, contents_of, join, read_json
from florence2.datasets.formats.format import Format, SingleFile, Writer
from florence2.datasets.formats.image_lookup import ImageLookup
from florence2.datasets.formats.split_names import split_of_folders, split_of_name
from florence2.datasets.formats.values import joined
from florence2.datasets.formats.writing import ImageToWrite, class_names, pixel_boxes
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import DatasetError

__all__ = ["COCO"]

logger = logging.getLogger(__name__)

_LARGEST_FILE = 1 << 30
_DECIMALS = 4


def is_coco(root: Path) -> bool:
    """Return whether a folder holds annotations in this format."""
    return bool(find_coco_files(root))


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
    sources = find_coco_files(root)
    if not sources:
        raise DatasetError(
            f"{root}: no COCO annotations found; it must hold a JSON file with images, annotations and categories "
            f"beside the images or in annotations/, such as train/{COCO_FILE}; it holds {contents_of(root)}"
        )
    return _read_files(root, _without_repetitions(root, sources), verify)


def read_coco_file(root: Path, file: str, *, verify: bool = False) -> DatasetManifest:
    """Read one file in the COCO format and no other.

    Args:
        root: folder that holds the file and its images.
        file: path relative to it.
        verify: as of ``read_coco``.

    Raises:
        DatasetError: it is not JSON, or no image is listed.
    """
    split = split_of_name(file) or SPLIT_NAMES.get(root.name.lower(), "")
    return _read_files(root, [(split, file)], verify)


def _without_repetitions(root: Path, sources: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Leave out files without a split where others have one: as trainval beside train, they list the images again."""
    with_split = [source for source in sources if source[0] or posixpath.basename(source[1]) == COCO_FILE]
    if not with_split or len(with_split) == len(sources):
        return sources
    names = " and ".join(file for _, file in sources if (_, file) not in with_split)
    logger.warning(
        "%s: %s left out, since %s names its split; to read one file alone, give its path",
        root,
        names,
        with_split[0][1],
    )
    return with_split


def _read_files(root: Path, sources: Sequence[tuple[str, str]], verify: bool) -> DatasetManifest:
    images = ImageLookup(root)
    with _without_collection():
        rows = [row for split, file in sources for row in _read_file(root, split, file, images)]
    if not rows:
        files = ", ".join(file for _, file in sources)
        raise DatasetError(
            f"{root}: no image is listed in {files}, or none without crowds alone; export the set again with its images"
        )
    return to_manifest(root, rows, filter(None, (split for split, _ in sources)), verify=verify)


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


def _read_file(root: Path, split: str, file: str, images: ImageLookup) -> Iterator[Annotation]:
    content = CocoContent()
    for key, value, line in read_json(root, file, _LARGEST_FILE):
        content.add(key, value, line)
    found = list(content.assemble())
    paths = images.find_all((image.name for image in found if image.name), image_folders(root, file), split)
    for image in found:
        path = paths.get(image.name, "")
        own = split or split_of_folders(posixpath.dirname(path))
        if image.problems:
            one = len(image.problems) == 1
            error = joined([text if one else f"line {line}: {text}" for line, text in image.problems])
            yield Annotation(own, path, file, image.problems[0][0], "<OD>", "", error=error)
        else:
            yield Annotation(
                own, path, file, image.line, "<OD>", regions=tuple(image.regions), declared_wh=image.size_wh
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
    files="a COCO JSON beside its images or in annotations/",
    samples="one `<OD>` sample for each image",
    recognise=is_coco,
    read=read_coco,
    writer=Writer(image_path, write_coco),
    single=SingleFile(lambda file: find_root(file) if holds_coco(file) else None, read_coco_file),
)
"""The format coco."""
