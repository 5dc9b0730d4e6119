"""Layouts of data sets on disk: each is recognised by its files and read into a ``DatasetManifest``."""

from __future__ import annotations

import contextlib
import difflib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from florence2.datasets.formats.coco import coco_place, is_coco, read_coco, write_coco
from florence2.datasets.formats.easy_vqa import is_easy_vqa, read_easy_vqa
from florence2.datasets.formats.files import entries, lists
from florence2.datasets.formats.jsonl import is_jsonl, jsonl_place, read_jsonl, write_jsonl
from florence2.datasets.formats.layout import LayoutImage
from florence2.datasets.formats.sroie import is_sroie, read_sroie
from florence2.datasets.formats.voc import is_voc, read_voc, voc_place, write_voc
from florence2.datasets.formats.yolo import is_yolo, read_yolo, write_yolo, yolo_place
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import DatasetError

__all__ = ["FORMATS", "Format", "Writer", "read_dataset", "recognise"]

logger = logging.getLogger(__name__)

_NESTED = 3


class _Reader(Protocol):
    def __call__(self, root: Path, *, verify: bool = False) -> DatasetManifest: ...


@dataclass(frozen=True)
class Writer:
    """How a layout is written.

    Attributes:
        place: where the image of an image lies, relative to the folder of the set.
        write: writes the annotations of images into a folder in which their images already lie.
        boxes_only: whether it can hold nothing but one ``<OD>`` row for each image.
    """

    place: Callable[[LayoutImage], str]
    write: Callable[[Path, Sequence[LayoutImage]], None]
    boxes_only: bool = True


@dataclass(frozen=True)
class Format:
    """A layout of files.

    Attributes:
        sign: the files by which it is recognised, for messages.
        recognise: whether a folder holds them.
        read: reads a folder.
        writer: None if the layout is only read.
    """

    sign: str
    recognise: Callable[[Path], bool]
    read: _Reader
    writer: Writer | None = None


FORMATS: dict[str, Format] = {
    "jsonl": Format(
        "train/annotations.jsonl or _annotations.train.jsonl",
        is_jsonl,
        read_jsonl,
        Writer(jsonl_place, write_jsonl, boxes_only=False),
    ),
    "coco": Format(
        "train/_annotations.coco.json or annotations/instances_*.json",
        is_coco,
        read_coco,
        Writer(coco_place, write_coco),
    ),
    "voc": Format("Annotations/*.xml or train/*.xml", is_voc, read_voc, Writer(voc_place, write_voc)),
    "yolo": Format("data.yaml with names", is_yolo, read_yolo, Writer(yolo_place, write_yolo)),
    "easy-vqa": Format("train/questions.json and train/images/", is_easy_vqa, read_easy_vqa),
    "sroie": Format("img/ with key/*.json or box/*.csv", is_sroie, read_sroie),
}
"""Every layout by its name."""


def read_dataset(root: Path, format: str = "auto", *, verify: bool = False) -> DatasetManifest:
    """Read the data set in a folder.

    Args:
        root: folder in one of the layouts of ``FORMATS``, or one that holds nothing but such a folder.
        format: the layout; "auto" recognises it by the files.
        verify: read every image file again, also where size and time are those of the last look.

    Returns:
        A row for each annotation, also for those that could not be read.

    Raises:
        DatasetError: the folder as a whole cannot be read; the message says what was looked for and what is there.
    """
    folder, name = recognise(root, format)
    logger.info("%s: read as %s", folder, name)
    with _plain_errors(root):
        return FORMATS[name].read(folder, verify=verify)


def recognise(root: Path, format: str = "auto") -> tuple[Path, str]:
    """Return the folder that holds a data set, the root or the only folder in it, and its layout.

    Args:
        root: as ``read_dataset`` takes it.
        format: the layout; "auto" recognises it by the files.

    Raises:
        DatasetError: there is none, or it may be one of several; the message says what was looked for and what is
            there.
    """
    if format != "auto" and format not in FORMATS:
        raise DatasetError(f"no format {format!r}; give auto or one of {', '.join(FORMATS)}")
    with _plain_errors(root):
        if not root.exists():
            raise DatasetError(f"{root}: no such folder; {_near(root) or _asked()}")
        if not root.is_dir():
            raise DatasetError(f"{root}: is a file; {_around(root) or _asked()}")
        return _recognise(root, list(FORMATS) if format == "auto" else [format])


@contextlib.contextmanager
def _plain_errors(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise DatasetError(f"{exc.filename or root}: cannot be read ({exc.strerror}); check its permissions") from exc
    except UnicodeEncodeError as exc:  # readers check what files say, so it is what the file system says
        raise DatasetError(f"{root}: the file name {exc.object!a} is not valid UTF-8; rename the file") from exc


def _recognise(root: Path, names: list[str]) -> tuple[Path, str]:
    folder = root
    for _ in range(_NESTED):
        found = [name for name in names if FORMATS[name].recognise(folder)]
        if len(found) > 1:
            signs = " and ".join(f"{name} ({FORMATS[name].sign})" for name in found)
            raise DatasetError(f"{folder}: looks like {signs}; say which it is with --format {found[0]}")
        if found:
            return folder, found[0]
        inner = [folder / name for name in entries(folder) if name != "__MACOSX" and (folder / name).is_dir()]
        if len(inner) != 1 or inner[0].is_symlink():
            break
        folder = inner[0]
    if len(names) == 1:
        if others := _layouts_of(folder):
            raise DatasetError(
                f"{folder}: is no {names[0]} ({FORMATS[names[0]].sign}), it looks like {' or '.join(others)}; give "
                f"--format {others[0]}, or leave the format away to have it recognised"
            )
        return root, names[0]  # its reader says best what it misses
    inside = [f"{folder / name} ({layout})" for name in entries(folder) for layout in _layouts_of(folder / name)]
    if inside:
        raise DatasetError(f"{folder}: holds several folders; name the data set itself: {' or '.join(inside)}")
    raise DatasetError(f"{root}: no annotations found; looked for {_signs()}; it holds {lists(root)}")


def _near(root: Path) -> str:
    """Ask whether a folder was meant that is there; empty if none is like it."""
    near = difflib.get_close_matches(root.name, entries(root.parent), n=1)
    return f"did you mean {root.parent / near[0]}?" if near else ""


def _around(file: Path) -> str:
    """Name the data set that a file is part of; empty if it is of none."""
    folders = [folder for folder in list(file.parents)[:_NESTED] if _layouts_of(folder)]
    return f"give the folder of its data set, {folders[-1]}" if folders else ""


def _asked() -> str:
    return f"give the folder of a data set: {_signs()}"


def _layouts_of(folder: Path) -> list[str]:
    return [name for name, format in FORMATS.items() if format.recognise(folder)] if folder.is_dir() else []


def _signs() -> str:
    return ", ".join(f"{format.sign} ({name})" for name, format in FORMATS.items())
