"""``ImageLookup``: the image file that an annotation names, where the tool that wrote it saw other folders."""

from __future__ import annotations

import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from florence2.datasets.formats.files import join
from florence2.datasets.formats.split_names import split_of_folders
from florence2.images import list_images

__all__ = ["ImageLookup"]

_DRIVE = re.compile("^[A-Za-z]:$")


class ImageLookup:
    """The image files of a data set by the names that annotations give them.

    A name is looked for in the likely folders first, with a slash for the backslash of Windows. Without such a file,
    the image is taken of which the most last parts of the path are equal, in any case: if it is alone in that, is the
    image of no other name, and is in no folder of another split.
    """

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

        Args:
            names: as annotations have them, the likeliest first: a file name, or a path that another machine knew.
            folders: relative to the root, the likeliest first; the first one names the split, if it is that of one.

        Returns:
            The path; if there is no such image, the one that is expected.
        """
        for name in names:
            if found := self._in_folders(name, folders):
                self._names.setdefault(found, names[0])
                return found
        for name in names:
            similar = self._most_similar(name, split_of_folders(folders[0]))
            if similar and self._names.setdefault(similar, names[0]) == names[0]:
                return similar
        return join(folders[0], _plain(names[0]))

    def find_all(self, names: Iterable[str], folders: Sequence[str], split: str) -> dict[str, str]:
        """Return the path of each image of an annotation file, whatever the order of the names.

        Args:
            names: as the file has them.
            folders: that may hold the images, the likeliest first.
            split: of the file; empty if it has none.

        Returns:
            By name; where there is no such image, the path where it is expected.
        """
        exact = {name: self._in_folders(name, folders) for name in names}
        similar = {name: self._most_similar(name, split) for name, path in exact.items() if not path}
        claims = Counter([*exact.values(), *similar.values()])
        return {
            name: path or (similar[name] if claims[similar[name]] == 1 else "") or join(folders[0], _plain(name))
            for name, path in exact.items()
        }

    def _in_folders(self, name: str, folders: Sequence[str]) -> str:
        """Return the path of a name in one of the folders; empty if none has it."""
        spellings = dict.fromkeys((name, _plain(name)))
        paths = (posixpath.normpath(join(folder, spelling)) for spelling in spellings for folder in folders)
        return next((path for path in paths if path in self._paths), "")

    def _most_similar(self, name: str, split: str) -> str:
        """Return the image of which the most last parts are equal; empty if several are, or none."""
        parts = [part for part in _plain(name).split("/") if part not in ("", ".", "..") and not _DRIVE.match(part)]
        similar = self._by_name.get(parts[-1].casefold(), ()) if parts else ()
        allowed = [path for path in similar if not split or split_of_folders(posixpath.dirname(path)) in ("", split)]
        lengths = {path: _common_end(path, parts) for path in allowed}
        best = [path for path, length in lengths.items() if length == max(lengths.values())]
        return best[0] if len(best) == 1 else ""


def _common_end(path: str, parts: Sequence[str]) -> int:
    """Return how many last parts of two paths are equal."""
    count = 0
    for one, other in zip(reversed(path.split("/")), reversed(parts), strict=False):
        if one.casefold() != other.casefold():
            break
        count += 1
    return count


def _plain(name: str) -> str:
    return name.replace("\\", "/")
