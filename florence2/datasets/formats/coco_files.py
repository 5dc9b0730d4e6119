"""Which files of a folder hold COCO annotations, and the split that each is for: by their content, whatever their name.

They may lie in the folder itself, in folders named for their purpose (annotations/, labels/, train/, images/train/), or
in one folder of any name that holds nothing else.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from florence2.datasets.formats.files import (
    entries,
    has_file,
    in_split_order,
    join,
    open_annotations,
    split_folders,
)
from florence2.datasets.formats.split_names import PURPOSES, split_of_name
from florence2.errors import DatasetError
from florence2.storage import is_inside

__all__ = ["COCO_FILE", "find_coco_files", "holds_coco"]

COCO_FILE = "_annotations.coco.json"
"""Name of the file of annotations in each split folder."""

_INSTANCES = "instances_"
_CAPTIONS = "captions_"
_HEAD = 1 << 16
_MOST_FILES = 64
"""JSON files that are opened in a folder: a tool that writes a file for each image writes thousands."""

_MOST_FOLDERS = 64
_FIRST_KEY = re.compile(rb'\s*(?:\xef\xbb\xbf)?\s*\{[^{}\[\]]*"(?:images|annotations|categories|info|licenses)"\s*:')
_PARTS = re.compile(rb'"(?:images|annotations)"\s*:\s*\[')
_OTHER_TOOL = re.compile(rb'"items"\s*:\s*\[|"categories"\s*:\s*\{')
_LIKELY = re.compile("coco|instances|annotation|label|result|train|val|test", re.IGNORECASE)


def find_coco_files(root: Path) -> list[tuple[str, str]]:
    """Find the annotation files: pairs of split and path relative to the root, in the order of the splits.

    A file named as COCO or Roboflow name it counts without a look at its content.
    """
    named = [(split, join(folder, COCO_FILE)) for split, folder in split_folders(root)]
    found = [source for source in named if has_file(root, source[1])]
    if found:
        return found
    files = [file for folder in _folders_of_purpose(root) for file in _files_in(root, folder)] or _files_in_one_folder(
        root
    )
    return in_split_order([(split_of_name(file), file) for file in files])


def holds_coco(path: Path) -> bool:
    """Return whether a file holds COCO annotations, by its beginning; a file that cannot be read does not."""
    try:
        return _begins_as_coco(path.parent, path.name)
    except (DatasetError, OSError):
        return False


def _folders_of_purpose(root: Path) -> Iterator[str]:
    """Yield the root and the folders below, two deep, whose names say what they are for."""
    yield ""
    for name in _folders_in(root, ""):
        if PURPOSES.issuperset(re.findall("[a-z]+", name.lower()) or ["?"]):
            yield name
            for inner in _folders_in(root, name):
                if PURPOSES.issuperset(re.findall("[a-z]+", inner.lower()) or ["?"]):
                    yield join(name, inner)


def _folders_in(root: Path, folder: str) -> list[str]:
    """Return the names of the folders in a folder; links are followed where they stay inside."""
    with os.scandir(root / folder) as found:
        names = sorted(each.name for each in found if each.is_dir() and not each.name.startswith("."))
    top = os.path.realpath(root)
    return [name for name in names[:_MOST_FOLDERS] if is_inside(root / folder / name, top)]


def _files_in(root: Path, folder: str) -> list[str]:
    """Return the annotation files directly in a folder, relative to the root."""
    names = [name for name in entries(root / folder) if name.endswith(".json") and not (root / folder / name).is_dir()]
    # The other files of COCO, captions and keypoints, list the same images again.
    if instances := [name for name in names if name.startswith(_INSTANCES)]:
        return [join(folder, name) for name in instances]
    names.sort(key=lambda name: _LIKELY.search(name) is None)
    likely = (join(folder, name) for name in names[:_MOST_FILES] if not name.startswith(_CAPTIONS))
    return sorted(file for file in likely if holds_coco(root / file) and is_inside(root / file, os.path.realpath(root)))


def _files_in_one_folder(root: Path) -> Sequence[str]:
    """Return the files of the only folder, of any name, that holds annotations and neither folders nor much else."""
    names = _folders_in(root, "")
    if len(names) == len(entries(root)) == 1:
        return ()  # the folder of the data set itself, which is looked at next
    folders = [name for name in names if all(each.endswith((".json", ".txt", ".md")) for each in entries(root / name))]
    found = [files for name in folders if (files := _files_in(root, name))]
    return found[0] if len(found) == 1 else ()


def _begins_as_coco(root: Path, file: str) -> bool:
    with open_annotations(root, file) as handle:
        head = handle.read(_HEAD)
    if _FIRST_KEY.match(head) is None or _OTHER_TOOL.search(head):
        return False
    return _PARTS.search(head) is not None or len(head) == _HEAD
