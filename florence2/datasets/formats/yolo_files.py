"""Pairs of image and label file of a YOLO set, also where one of the two is missing."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Sequence
from pathlib import Path

from florence2.datasets.formats.files import join
from florence2.errors import DatasetError

__all__ = ["find_label_file", "label_file", "pairs_below"]

_IMAGES, _LABELS = "images", "labels"
_CLASS_LIST = "classes.txt"  # labelling tools write the class names next to the label files


def label_file(image: str) -> str:
    """Return the path of the label file of an image: ``labels`` for the last folder ``images``."""
    return _exchanged(image, _IMAGES, _LABELS, ".txt")


def find_label_file(root: Path, image: str) -> str:
    """Return the path of the label file of an image that exists; else the one that is expected.

    Besides the usual path it may be next to the image, in ``labels`` next to it, or in ``labels`` next to its folder.
    """
    folder, name = posixpath.split(posixpath.splitext(image)[0] + ".txt")
    above = posixpath.dirname(folder)
    expected = label_file(image)
    others = (join(folder, name), join(folder, f"{_LABELS}/{name}"), join(above, f"{_LABELS}/{name}"))
    return next((path for path in (expected, *others) if os.path.lexists(root / path)), expected)


def pairs_below(root: Path, folder: str, images: Sequence[str]) -> list[tuple[str, str]]:
    """Pair the images below a folder with their label files.

    Args:
        root: folder of the data set.
        folder: relative to the root; it may be a symbolic link to another folder of the data set.
        images: all image files of the data set, relative to the root.

    Returns:
        Image and label file, relative to the root: first each image, whether or not there is a label file, then each
        label file without an image, with an image that does not exist. Label files in the folder of the images
        cannot be distinguished from other texts, so those without an image are not found.

    Raises:
        DatasetError: a folder below is a symbolic link, whose images are not listed.
    """
    _refuse_links(root, folder)
    real = os.path.relpath(os.path.realpath(root / folder), os.path.realpath(root))
    below = "" if real == "." else f"{real}/"
    inside = (name for name in images if name.startswith(below))
    found = [(name, find_label_file(root, join(folder, name.removeprefix(below)))) for name in inside]
    known = {labels for _, labels in found}
    orphans = [labels for labels in _label_files(root, folder) if labels not in known]
    return found + [(_exchanged(labels, _LABELS, _IMAGES, ".jpg"), labels) for labels in orphans]


def _exchanged(path: str, old: str, new: str, suffix: str) -> str:
    """Return a path with another name for its last folder of a name, and another suffix."""
    folders = path.split("/")
    name = posixpath.splitext(folders.pop())[0] + suffix
    for index in range(len(folders) - 1, -1, -1):
        if folders[index] == old:
            folders[index] = new
            break
    return "/".join([*folders, name])


def _refuse_links(root: Path, folder: str) -> None:
    for above, folders in _walk(root, folder):
        for name in folders:
            if name != _LABELS and (root / above / name).is_symlink():
                raise DatasetError(
                    f"{root / above / name}: is a symbolic link to a folder; no link below {folder or 'the data set'} "
                    "is followed: name it in data.yaml, or replace it by the images themselves"
                )


def _label_files(root: Path, folder: str) -> list[str]:
    top = posixpath.dirname(label_file(join(folder, "image")))
    return sorted(
        join(above, name)
        for above, _ in _walk(root, top)
        if _LABELS in above.split("/")
        for name in os.listdir(root / above)  # noqa: PTH208 - names suffice
        if name.endswith(".txt") and not name.startswith(".") and name != _CLASS_LIST
    )


def _walk(root: Path, top: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each folder below one, itself included and hidden ones left out, and the names of the folders in it."""
    for path, folders, _ in os.walk(root / top):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inner = os.path.relpath(path, root / top)
        yield (top if inner == "." else join(top, inner)), folders
