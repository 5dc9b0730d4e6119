"""``Format``: what is known of one format of data sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # pandas and numpy: a list of formats does without
    from florence2.datasets.formats.writing import ImageToWrite
    from florence2.datasets.manifest import DatasetManifest

__all__ = ["Format", "Reader", "SingleFile", "Writer"]


class Reader(Protocol):
    """Reads a folder; ``verify``: read every image file again, also if its size and time are unchanged."""

    def __call__(self, root: Path, *, verify: bool = False) -> DatasetManifest: ...  # noqa: D102


class FileReader(Protocol):
    """Reads the file of this path relative to a folder that holds its images as well, and no other annotations."""

    def __call__(self, root: Path, file: str, *, verify: bool = False) -> DatasetManifest: ...


@dataclass(frozen=True)
class SingleFile:
    """How a format reads one annotation file that a user names in place of a folder.

    Attributes:
        find_root: returns the folder that holds the file and its images; None if the file is not of this format.
        read: reads the file alone.
    """

    find_root: Callable[[Path], Path | None]
    read: FileReader


@dataclass(frozen=True)
class Writer:
    """How a format is written.

    Attributes:
        image_path: returns the path of an image, relative to the folder of the data set.
        write: writes the annotations of images into a folder that holds the images already.
        boxes_only: whether the format can hold nothing but one ``<OD>`` sample for each image.
    """

    image_path: Callable[[ImageToWrite], str]
    write: Callable[[Path, Sequence[ImageToWrite]], None]
    boxes_only: bool = True


@dataclass(frozen=True)
class Format:
    """A format of data sets.

    Attributes:
        files: the files by which it is recognised, for messages and documents.
        samples: what becomes a sample, for documents.
        recognise: whether a folder holds these files. It reads no more of them than it must.
        read: reads a folder.
        writer: None if the format is only read.
        guess: whether a folder without these files probably is of the format; asked only where no format is recognised.
        single: None if the format reads folders only.
    """

    files: str
    samples: str
    recognise: Callable[[Path], bool]
    read: Reader
    writer: Writer | None = None
    guess: Callable[[Path], bool] | None = None
    single: SingleFile | None = None
