"""``ImageLookup``: the image file that an annotation names, where the tool that wrote it saw other folders."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from florence2.datasets.formats.files import SPLIT_NAMES
from florence2.images import list_images

__all__ = ["ImageLookup"]


class ImageLookup:
    """The image files of a data set by the names that annotations give them."""

    def __init__(self, root: Path) -> None:
        """List the images of a folder once.

        Args:
            root: folder of the data set.
        """
        paths = list_images(root)
        self._paths = frozenset(paths)
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for path in paths:
            self._by_name[posixpath.basename(path).casefold()].append(path)
        self._names: dict[str, str] = {}
        """The name for which each image was returned."""

    def find(self, *names: str, folders: Sequence[str] = ("",)) -> str:
        """Return the path of an image relative to the root.

        For each name, the first that exists: the name in one of the folders; the same with / for a backslash, as tools
        on Windows write; without its first folder, then without more of them; the only image of the set with that file
        name in any case, unless it is the image of another name or in the folder of another split.

        Args:
            names: as annotations have them, the likeliest first: a file name, or a path that another machine knew.
            folders: relative to the root, the likeliest first.

        Returns:
            The path; if there is no such image, the one that is expected.
        """
        for name in names:
            if found := self._existing(name, folders):
                self._names.setdefault(found, names[0])
                return found
        for name in names:
            same = self._by_name.get(posixpath.basename(_plain(name)).casefold(), [])
            if len({*map(_split, same), _split(folders[0])} - {""}) > 1:
                continue
            if len(same) == 1 and self._names.setdefault(same[0], names[0]) == names[0]:
                return same[0]
        return posixpath.join(folders[0], _plain(names[0]))

    def _existing(self, name: str, folders: Sequence[str]) -> str:
        plain = _plain(name)
        rests = [name, *(plain.split("/", dropped)[-1] for dropped in range(plain.count("/") + 1))]
        paths = (posixpath.normpath(posixpath.join(folder, rest)) for rest in rests for folder in folders)
        return next((path for path in paths if path in self._paths), "")


def _split(path: str) -> str:
    return SPLIT_NAMES.get(path.partition("/")[0].lower(), "")


def _plain(name: str) -> str:
    return name.replace("\\", "/")
