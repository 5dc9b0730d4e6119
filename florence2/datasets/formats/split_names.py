"""The split that the names of files and folders stand for."""

from __future__ import annotations

import posixpath
import re

from florence2.datasets.formats.files import SPLIT_NAMES

__all__ = ["PURPOSES", "split_of_folders", "split_of_name"]

PURPOSES = frozenset(
    {*SPLIT_NAMES, "trainval", "annotations", "annotation", "ann", "anns", "labels", "images", "image", "img", "imgs"}
)
"""Words for what a folder of a data set is for."""

_WORDS = PURPOSES | {"data", "set", "split"}


def split_of_name(file: str) -> str:
    """Return the split that an annotation file is for, by its name or by the folders that it is in; else nothing."""
    folder, name = posixpath.split(file)
    words = re.findall("[a-z]+", posixpath.splitext(name)[0].lower())
    return next((SPLIT_NAMES[word] for word in words if word in SPLIT_NAMES), "") or split_of_folders(folder)


def split_of_folders(path: str) -> str:
    """Return the split that the folders of a path name, the innermost first, as train2017 or images/val; else nothing.

    A folder counts only if all words of its name say what it is for: one called driving-test is none.
    """
    for folder in reversed(path.lower().split("/")):
        words = re.findall("[a-z]+", folder)
        if words and _WORDS.issuperset(words):
            splits = {SPLIT_NAMES[word] for word in words if word in SPLIT_NAMES}
            if len(splits) == 1:
                return splits.pop()
    return ""
