"""Where the images of a COCO file are: the folder of the data set, and those in it that may hold them."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from florence2.datasets.formats.coco_files import COCO_FILE
from florence2.datasets.formats.files import SPLIT_NAMES, join, open_annotations
from florence2.images import list_images

__all__ = ["find_root", "image_folders"]

_HEAD = 1 << 20
_FILE_NAME = re.compile(rb'"file_name"\s*:\s*("(?:[^"\\]|\\.)*")')
_MOST_NAMES = 20
_MOST_ABOVE = 3


def find_root(file: Path) -> Path:
    """Return the folder that holds an annotation file and its images: its own, or the nearest above.

    A file in a folder without images, whose images are not where tools put them, belongs to the folder above.
    """
    above = [file.parent, *file.parent.parents][:_MOST_ABOVE]
    names = list(_first_names(file))
    for root in above:
        folders = image_folders(root, file.relative_to(root).as_posix())
        if any((root / folder / name).is_file() for folder in folders for name in names):
            return root
    return file.parent if list_images(file.parent) else file.parent.parent


def _first_names(file: Path) -> Iterator[str]:
    """Yield the first file names of an annotation file, each also without its first folders."""
    with open_annotations(file.parent, file.name) as handle:
        head = handle.read(_HEAD)
    for match in list(_FILE_NAME.finditer(head))[:_MOST_NAMES]:
        try:
            parts = str(json.loads(match[1])).replace("\\", "/").split("/")
        except ValueError:
            continue
        if all(part and "\0" not in part and len(part) < 256 for part in parts[1:]):
            yield from ("/".join(parts[start:]).lstrip("/") for start in range(len(parts)))


def image_folders(root: Path, file: str) -> list[str]:
    """Return the folders that may hold the images of an annotation file, the likeliest first.

    Args:
        root: folder of the data set.
        file: the annotation file relative to it.
    """
    folder, name = posixpath.split(file)
    if name == COCO_FILE:
        return [folder]
    end = name.removesuffix(".json").rpartition("_")[2]
    split = next((word for word in re.findall("[a-z]+", end.lower()) if word in SPLIT_NAMES), end)
    aboves = [folder]
    while aboves[-1]:
        aboves.append(posixpath.dirname(aboves[-1]))
    parts = dict.fromkeys((end, f"images/{end}", split, f"images/{split}", "images", "data", ""))
    folders = (join(above, part).rstrip("/") for above in aboves for part in parts)
    return [folder for folder in dict.fromkeys(folders) if (root / folder).is_dir()]
