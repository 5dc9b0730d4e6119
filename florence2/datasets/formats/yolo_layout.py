"""What a YOLO set without a ``data.yaml`` holds: its class names, and the folders or lists of images of each split."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from florence2.datasets.formats.files import (
    SPLIT_NAMES,
    entries,
    has_file,
    in_split_order,
    join,
    open_annotations,
    read_text,
    split_folders,
)
from florence2.datasets.formats.values import has_control
from florence2.errors import DatasetError
from florence2.images import is_image_name

__all__ = ["find_class_names", "has_label_files", "split_sources"]

_CLASS_LISTS = ("classes.txt", "obj.names", "classes.names", "data/obj.names")
"""As Label Studio, labelImg and CVAT write them: a class on each line."""

_LARGEST_LIST = 1 << 20
_HEAD = 1 << 12
_MOST_FILES = 64
_LABEL = re.compile(rb"\s*\d+(?:\.0*)?(?:[ \t]+-?[0-9.]+(?:[eE][-+]?\d+)?){4,}[ \t]*(?:\r?\n|$)")
_LABEL_FOLDERS = ("labels", "obj_train_data")


def find_class_names(root: Path) -> tuple[str, tuple[str, ...]] | None:
    """Return the file that lists the classes, relative to the root, and the names; None if there is none.

    It is looked for in the folder, beside the label files, and in the folders of the splits.

    Raises:
        DatasetError: it cannot be read, or a name holds a control character.
    """
    folders = ["", *_LABEL_FOLDERS, "images"]
    for _, folder in split_folders(root):
        if folder:
            folders += [folder, join(folder, "labels"), join("labels", folder)]
    for folder, name in itertools.product(folders, _CLASS_LISTS):
        file = join(folder, name)
        if has_file(root, file):
            text = read_text(root, file, _LARGEST_LIST)
            names = [line.strip() for line in text.rstrip().splitlines()]
            if bad := next((number for number, name in enumerate(names, 1) if has_control(name)), 0):
                raise DatasetError(f"{root / file}:{bad}: the class name holds a control character; write it again")
            if any(names):
                return file, tuple(names)
    return None


def has_label_files(root: Path) -> bool:
    """Return whether a folder holds YOLO label files, in labels/ or beside images; only a few of them are opened."""
    for folder in _label_folders(root):
        stems = {Path(name).stem for name in entries(root / folder) if is_image_name(name)}
        in_labels = bool({*_LABEL_FOLDERS} & {*folder.split("/")})
        texts = (name for name in entries(root / folder) if name.endswith(".txt"))
        likely = (name for name in texts if in_labels or name.removesuffix(".txt") in stems)
        if any(_is_label_file(root, join(folder, name)) for name in itertools.islice(likely, _MOST_FILES)):
            return True
    return False


def split_sources(root: Path) -> tuple[tuple[str, str], ...]:
    """Return pairs of split and the folder or list of its images; the whole folder without a split if none is named.

    Lists are train.txt, val.txt and test.txt, as CVAT writes them.
    """
    lists = [
        (SPLIT_NAMES[name.removesuffix(".txt").lower()], name)
        for name in entries(root)
        if name.endswith(".txt") and name.removesuffix(".txt").lower() in SPLIT_NAMES
    ]
    listed = [(split, name) for split, name in lists if _is_image_list(root, name)]
    folders = [pair for pair in split_folders(root) if pair[1]]
    below = [(split, join("images", name)) for split, name in split_folders(root / "images") if name]
    return tuple(in_split_order(listed or folders or below)) or (("", ""),)


def _label_folders(root: Path) -> Iterator[str]:
    """Yield the folders that may hold label files, those that are called so first."""
    splits = [folder for _, folder in split_folders(root) if folder]
    inner = [join("labels", folder) for _, folder in split_folders(root / "labels") if folder]
    yield from (*_LABEL_FOLDERS, *inner, *(join(folder, "labels") for folder in splits), *splits, "images", "")


def _is_label_file(root: Path, file: str) -> bool:
    return _LABEL.match(_head(root, file)) is not None


def _is_image_list(root: Path, file: str) -> bool:
    first = _head(root, file).split(b"\n")[0].strip()
    return is_image_name(first.decode("utf-8", errors="replace"))


def _head(root: Path, file: str) -> bytes:
    try:
        with open_annotations(root, file) as handle:
            return handle.read(_HEAD)
    except (DatasetError, OSError):
        return b""
