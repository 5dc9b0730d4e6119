"""Recognise the format of a data set by its files, and read it into a ``DatasetManifest``."""

from __future__ import annotations

import contextlib
import difflib
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

from florence2.datasets.formats.files import contents_of, entries
from florence2.datasets.formats.foreign import foreign_file, foreign_tool
from florence2.datasets.formats.format import Format
from florence2.datasets.formats.registry import AUTO, FORMATS, unknown_format, usable
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import DatasetError

__all__ = ["folder_around", "read_dataset", "recognise"]

logger = logging.getLogger(__name__)

_MAX_DEPTH = 3
"""How many folders may lie one in the other before the data set, as in an archive of a folder of a folder."""


def read_dataset(
    root: Path,
    format: str = AUTO,
    *,
    verify: bool = False,
    formats: Mapping[str, Format] = FORMATS,
    source: str | None = None,
) -> DatasetManifest:
    """Read the data set in a folder, or the one that a single annotation file describes.

    Args:
        root: folder in one of the formats, or one that holds nothing but such a folder; or an annotation file
            of a format that reads one alone.
        format: name of the format; "auto" recognises it by the files.
        verify: read every image file again, also if its size and time are unchanged since it was read last.
        formats: the formats to choose from.
        source: as the user named it, for the log; None: the path.

    Returns:
        A row for each sample, also for those that could not be read.

    Raises:
        ConfigurationError: there is no such format, or its package cannot be imported.
        DatasetError: the folder as a whole cannot be read; the message says what is expected and what is there.
    """
    path, name = recognise(root, format, formats=formats)
    logger.info("%s: read as %s", source or path, name)
    with _plain_errors(root):
        single = formats[name].single
        folder = single.find_root(path) if single is not None and not path.is_dir() else None
        if single is None or folder is None:
            return formats[name].read(path, verify=verify)
        return single.read(folder, path.relative_to(folder).as_posix(), verify=verify)


def recognise(root: Path, format: str = AUTO, *, formats: Mapping[str, Format] = FORMATS) -> tuple[Path, str]:
    """Return what holds a data set, the root or the only folder in it, and the name of its format.

    An annotation file of some formats holds one, too.

    Args:
        root: as ``read_dataset`` takes it.
        format: name of the format; "auto" recognises it by the files. A format of another package that cannot be
            imported is then left out with a warning.
        formats: the formats to choose from.

    Raises:
        ConfigurationError: there is no such format, or its package cannot be imported.
        DatasetError: there is no data set, or several formats fit; the message says what is expected and what is there.
    """
    if format != AUTO and format not in formats:
        raise unknown_format(format, formats)
    chosen = None if format == AUTO else formats[format]
    known = usable(formats)
    with _plain_errors(root):
        if not root.exists():
            raise DatasetError(f"{root}: no such folder; {_near(root) or _give_a_folder(known)}")
        if not root.is_dir():
            return _find_file(root, known if chosen is None else {format: chosen}, known)
        if chosen is not None:
            return _find_chosen(root, format, chosen, known), format
        return _find(root, known)


def folder_around(path: Path) -> Path:
    """Return the folder with all files of a data set: the path itself, or for an annotation file that of its images.

    Raises:
        DatasetError: it is a file that is no data set by itself.
    """
    if not path.is_file():
        return path
    _, name = recognise(path)
    single = FORMATS[name].single
    return (single.find_root(path) if single else None) or path.parent


@contextlib.contextmanager
def _plain_errors(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise DatasetError(f"{exc.filename or root}: cannot be read ({exc.strerror}); check its permissions") from exc
    except UnicodeEncodeError as exc:  # readers check the content of files, so it is a name in the file system
        raise DatasetError(f"{root}: the file name {exc.object!a} is not valid UTF-8; rename the file") from exc


def _nested(root: Path) -> Iterator[Path]:
    """Yield a folder, then the folder that is its only one, and so on."""
    folder = root
    for _ in range(_MAX_DEPTH):
        yield folder
        inner = [folder / name for name in entries(folder) if name != "__MACOSX" and (folder / name).is_dir()]
        if len(inner) != 1 or inner[0].is_symlink():
            return
        folder = inner[0]


def _find_chosen(root: Path, name: str, chosen: Format, known: Mapping[str, Format]) -> Path:
    """Return the folder of a data set in a format that was given."""
    folder = root
    for folder in _nested(root):
        if chosen.recognise(folder) or (chosen.guess is not None and chosen.guess(folder)):
            return folder
    if others := _names_of(folder, known):
        raise DatasetError(
            f"{folder}: is not {name} ({chosen.files}), it looks like {' or '.join(others)}; give "
            f"--format {others[0]}, or omit the format to have it recognised"
        )
    return root  # the reader of the format reports best what is missing


def _find(root: Path, known: Mapping[str, Format]) -> tuple[Path, str]:
    """Return the folder and the name of the format of a data set in any format."""
    folder = root
    for folder in _nested(root):
        found = _names_of(folder, known) or _guessed(folder, known)
        if len(found) > 1:
            candidates = " and ".join(f"{name} ({known[name].files})" for name in found)
            raise DatasetError(f"{folder}: looks like {candidates}; name its format, as in --format {found[0]}")
        if found:
            return folder, found[0]
    inside = [f"{folder / entry} ({name})" for entry in entries(folder) for name in _names_of(folder / entry, known)]
    if inside:
        raise DatasetError(f"{folder}: holds several data sets; give one of them: {' or '.join(inside)}")
    if tool := foreign_tool(root):
        raise DatasetError(f"{root}: {tool}")
    raise DatasetError(f"{root}: no annotations found; expected {_all_files(known)}; it holds {contents_of(root)}")


def _near(root: Path) -> str:
    """Suggest a folder of a similar name; empty if there is none."""
    near = difflib.get_close_matches(root.name, entries(root.parent), n=1)
    return f"did you mean {root.parent / near[0]}?" if near else ""


def _find_file(file: Path, allowed: Mapping[str, Format], known: Mapping[str, Format]) -> tuple[Path, str]:
    """Return a file and the format that reads it alone; else the folder around it that holds a data set."""
    for name, format in allowed.items():
        if format.single is not None and format.single.find_root(file) is not None:
            return file, name
    if tool := foreign_file(file):
        raise DatasetError(f"{file}: {tool}")
    around = _folder_with(file, known)
    remedy = f"give the folder of its data set, {around}" if around else _give_a_folder(known)
    raise DatasetError(f"{file}: is a file that is no data set by itself; {remedy}")


def _folder_with(file: Path, known: Mapping[str, Format]) -> Path | None:
    """Return the folder of a data set around a file, None where there is none.

    It is the nearest one; or the one above, where that is read alike: a split of a set may be a set by itself. Folders
    further above may hold other sets.
    """
    nearest = next((folder for folder in list(file.parents)[:_MAX_DEPTH] if _names_of(folder, known)), None)
    if nearest is None:
        return None
    return nearest.parent if _names_of(nearest.parent, known) == _names_of(nearest, known) else nearest


def _give_a_folder(known: Mapping[str, Format]) -> str:
    return f"give the folder of a data set: {_all_files(known)}"


def _names_of(folder: Path, known: Mapping[str, Format]) -> list[str]:
    """Return the names of the formats whose files a folder holds."""
    return [name for name, format in known.items() if format.recognise(folder)] if folder.is_dir() else []


def _guessed(folder: Path, known: Mapping[str, Format]) -> list[str]:
    """Return the names of the formats that a folder probably has."""
    return [name for name, format in known.items() if format.guess is not None and format.guess(folder)]


def _all_files(known: Mapping[str, Format]) -> str:
    return ", ".join(f"{format.files} ({name})" for name, format in known.items())
