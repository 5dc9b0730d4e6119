"""The frame of a reader: find the annotation files, read each, and build the manifest."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from florence2.datasets.formats.annotations import Annotation, to_manifest
from florence2.datasets.formats.files import (
    SPLIT_NAMES,
    SPLIT_ORDER,
    contents_of,
    entries,
    in_split_order,
    join,
    open_annotations,
    split_folders,
)
from florence2.datasets.formats.format import SingleFile
from florence2.datasets.formats.split_names import split_of_name
from florence2.datasets.formats.values import BadValueError, checked_name
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import DatasetError
from florence2.images import list_images

__all__ = ["files_in_splits", "read_files", "single_file", "starts_like"]

_HEAD = 1 << 16


class SourcesReader(Protocol):
    """Reads annotation files, given as pairs of split and path relative to the root."""

    def __call__(self, root: Path, sources: Sequence[tuple[str, str]], *, verify: bool = False) -> DatasetManifest: ...


def files_in_splits(root: Path, suffix: str) -> list[tuple[str, str]]:
    """Find files directly in a folder and in its folders named like splits.

    Args:
        root: folder of the data set.
        suffix: end of their names in lower case, such as ".json".

    Returns:
        Pairs of split and path relative to the root, in the order of the splits. In the root itself the name of a file
        may give the split, as in train.json.
    """
    return in_split_order(
        [
            (split or split_of_name(name), join(folder, name))
            for split, folder in split_folders(root)
            for name in entries(root / folder)
            if name.lower().endswith(suffix)
        ]
    )


def starts_like(root: Path, file: str, *patterns: re.Pattern[bytes]) -> bool:
    """Return whether every pattern is found in the first 64 KiB of a file; False if it cannot be opened."""
    try:
        with open_annotations(root, file) as handle:
            head = handle.read(_HEAD)
    except (OSError, ValueError, DatasetError):
        return False
    return all(pattern.search(head) for pattern in patterns)


def read_files(
    root: Path,
    sources: Sequence[tuple[str, str]],
    read: Callable[[str, str], Iterable[Annotation]],
    *,
    expected: str,
    verify: bool = False,
) -> DatasetManifest:
    """Read annotation files one after the other and build the manifest.

    Args:
        root: folder of the data set.
        sources: pairs of split and path of a file, as ``read`` takes them.
        read: yields the samples of a file.
        expected: the files that a data set in the format must hold, for messages.
        verify: read every image file again, also if its size and time are unchanged.

    Raises:
        DatasetError: there is no file, or no sample in the files.
    """
    if not sources:
        raise DatasetError(f"{root}: no annotations found; it must hold {expected}; it holds {contents_of(root)}")
    for _, file in sources:
        try:
            checked_name(file, "the name of a file")
        except BadValueError as exc:
            raise DatasetError(f"{root}: {exc}; rename the file") from None
    rows = [row for split, file in sources for row in read(split, file)]
    if not rows:
        first = f"{sources[0][1]}{f' and {len(sources) - 1} more' if len(sources) > 1 else ''}"
        raise DatasetError(f"{root}: no sample in {first}; export or copy the data set again")
    # The file may give the split of each row, as CVAT does.
    rows = sorted(rows, key=lambda row: SPLIT_ORDER.index(row.split))
    return to_manifest(root, rows, (split for split, _ in sources if split), verify=verify)


def single_file(holds: Callable[[Path, str], bool], read: SourcesReader) -> SingleFile:
    """Return how a format reads one of its files alone.

    The folder of the file is that of the data set, or the folder above if that has ``images/`` and the file's none. Its
    name or that of the file gives the split.

    Args:
        holds: whether a file, given as its folder and name, is of the format; False for one that cannot be read.
        read: reads files of the format.
    """

    def find_root(file: Path) -> Path | None:
        if not holds(file.parent, file.name):
            return None
        above = file.parent.parent
        return above if (above / "images").is_dir() and not list_images(file.parent) else file.parent

    def read_alone(root: Path, file: str, *, verify: bool = False) -> DatasetManifest:
        split = split_of_name(file) or SPLIT_NAMES.get(root.name.lower(), "")
        return read(root, [(split, file)], verify=verify)

    return SingleFile(find_root, read_alone)
