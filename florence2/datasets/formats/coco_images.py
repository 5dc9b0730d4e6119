"""Which image of a folder a COCO file means by a ``file_name`` that was perhaps written on another machine."""

from __future__ import annotations

import json
import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from florence2.datasets.formats.coco_files import COCO_FILE, split_of_folders
from florence2.datasets.formats.files import SPLIT_NAMES, join, open_annotations
from florence2.images import list_images

__all__ = ["CocoImages", "find_root", "image_folders"]

_DRIVE = re.compile("^[A-Za-z]:$")
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


class CocoImages:
    """The image files of a data set, found by the names that annotations give them."""

    def __init__(self, names: Sequence[str]) -> None:
        """Index paths relative to the root."""
        self._names = frozenset(names)
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for name in names:
            self._by_name[posixpath.basename(name).casefold()].append(name)

    def find_all(self, names: Iterable[str], folders: Sequence[str], split: str) -> dict[str, str]:
        """Return the path of each image of an annotation file, relative to the root.

        A name is looked for in the likely folders first, with a slash for the backslash of Windows. Without such a
        file, the image of which the most last parts of the path are equal is taken: if there is one alone, no other
        name of the file means it, and it is in no folder of another split.

        Args:
            names: as the file has them.
            folders: that may hold the images, the likeliest first.
            split: of the file; empty if it has none.

        Returns:
            By name; where there is no such image, the path where it is expected.
        """
        found = {name: self._find(name, folders, split) for name in names}
        claims = Counter(path for path, _ in found.values())
        return {
            name: path if is_exact or claims[path] == 1 else join(folders[0], name)
            for name, (path, is_exact) in found.items()
        }

    def _find(self, name: str, folders: Sequence[str], split: str) -> tuple[str, bool]:
        """Return a path, and whether it is the name itself in one of the folders."""
        plain = name.replace("\\", "/")
        for spelling in (name, plain):
            for folder in folders:
                path = posixpath.normpath(join(folder, spelling))
                if path in self._names:
                    return path, True
        parts = [part for part in plain.split("/") if part not in ("", ".", "..") and not _DRIVE.match(part)]
        similar = self._by_name.get(parts[-1].casefold(), ()) if parts else ()
        allowed = [path for path in similar if not split or _split_of(path) in ("", split)]
        lengths = {path: _common_end(path, parts) for path in allowed}
        best = [path for path, length in lengths.items() if length == max(lengths.values())]
        return (best[0], False) if len(best) == 1 else (join(folders[0], name), False)


def _split_of(image: str) -> str:
    return split_of_folders(posixpath.dirname(image))


def _common_end(path: str, parts: Sequence[str]) -> int:
    """Return how many last parts of two paths are equal."""
    count = 0
    for one, other in zip(reversed(path.split("/")), reversed(parts), strict=False):
        if one.casefold() != other.casefold():
            break
        count += 1
    return count
