"""The content of a YOLO ``data.yaml``: class names, and the folders of images of each split, found on this machine."""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from florence2.datasets.formats.files import SPLIT_NAMES, entries, in_split_order, join, read_text
from florence2.datasets.formats.values import BadValueError, checked_text, excerpt
from florence2.errors import DatasetError
from florence2.storage import is_inside

__all__ = ["YoloYaml", "find_yolo_yaml", "is_yolo_yaml", "locate_below", "read_yolo_yaml"]

_LARGEST_YAML = 1 << 18
_NAMES = re.compile(r"^(?:\{\s*)?[\"']?names[\"']?\s*:", re.MULTILINE)
_TRAIN = re.compile(r"^[\"']?train[\"']?\s*:", re.MULTILINE)
_ABSENT = ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True)
class YoloYaml:
    """The content of a file.

    Attributes:
        file: path of the file relative to the root.
        names: class names by their number; None if it has none.
        sources: pairs of split and the folder or list of its images, relative to the root, that exist.
        missing: pairs of key and path of what does not exist.
        names_file: the file that names the classes, for messages.
    """

    file: str
    names: tuple[str, ...] | None
    sources: tuple[tuple[str, str], ...]
    missing: tuple[tuple[str, str], ...]
    names_file: str = ""


def find_yolo_yaml(root: Path) -> str | None:
    """Return the name of the file directly in a folder that names classes; None if there is none.

    A file called data.yaml counts without class names if it names a training split.

    Raises:
        DatasetError: there are several, none of them called data.yaml; or one cannot be opened.
    """
    found = []
    for name in entries(root):
        if name.endswith((".yaml", ".yml")) and not (root / name).is_dir():
            try:
                text = read_text(root, name, _LARGEST_YAML)
            except (DatasetError, FileNotFoundError):
                if name.startswith("data."):
                    raise
                continue
            if _NAMES.search(text) or (name.startswith("data.") and _TRAIN.search(text)):
                found.append(name)
    chosen = [name for name in found if name.startswith("data.")] or found
    if len(chosen) > 1:
        raise DatasetError(f"{root}: {' and '.join(chosen)} both name classes; leave one of them, called data.yaml")
    return chosen[0] if chosen else None


def is_yolo_yaml(file: Path) -> bool:
    """Return whether a file is a data.yaml, whatever its name; one that cannot be read is none."""
    try:
        text = read_text(file.parent, file.name, _LARGEST_YAML) if file.suffix in (".yaml", ".yml") else ""
    except (DatasetError, OSError):
        return False
    return bool(_NAMES.search(text) or _TRAIN.search(text))


def read_yolo_yaml(root: Path, file: str) -> YoloYaml:
    """Read a data.yaml.

    Args:
        root: folder of the data set.
        file: path relative to it.

    Raises:
        DatasetError: it is not YAML, the class names are not a list or mapping of texts, ``nc`` is not their number,
            or a split is not given as one path or several.
    """
    where = root / file
    try:
        # Every value as a text: SafeLoader would turn a class called no into False.
        values = yaml.load(read_text(root, file, _LARGEST_YAML), Loader=yaml.BaseLoader)
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as exc:
        raise DatasetError(f"{where}: not valid YAML ({' '.join(str(exc).split())[:200]}); write it again") from exc
    if not isinstance(values, dict):
        raise DatasetError(f"{where}: holds {excerpt(values)}, not keys such as names and train; write it again")
    names = _names(where, values) if "names" in values else None
    base = _base(root, values.get("path"))
    sources, missing = [], []
    for key, value in values.items():
        if isinstance(key, str) and key in SPLIT_NAMES and value not in _ABSENT:
            for path in _paths(where, key, value):
                found = locate_below(root, base, path)
                if found is None:
                    missing.append((key, path))
                else:
                    sources.append((SPLIT_NAMES[key], found))
    return YoloYaml(file, names, tuple(in_split_order(sources)), tuple(missing), posixpath.basename(file))


def _names(where: Path, values: dict[Any, Any]) -> tuple[str, ...]:
    given = values.get("names")
    if isinstance(given, dict):
        numbers = {str(number): given[str(number)] for number in range(len(given)) if str(number) in given}
        if len(numbers) < len(given):
            raise DatasetError(f"{where}: names has the keys {excerpt(list(given))}, not 0 to {len(given) - 1}")
        given = list(numbers.values())
    if not isinstance(given, list) or not given:
        raise DatasetError(f"{where}: names is {excerpt(given)}; write names: [first class, second class, ...]")
    try:
        names = tuple(checked_text(name, "a class name") for name in given)
    except BadValueError as exc:
        raise DatasetError(f"{where}: {exc}; write names: [first class, second class, ...]") from None
    if (count := values.get("nc", str(len(names)))) != str(len(names)):
        raise DatasetError(f"{where}: nc is {excerpt(count)}, but there are {len(names)} names; correct one of them")
    return names


def _paths(where: Path, key: str, value: Any) -> list[str]:
    paths = value if isinstance(value, list) else [value]
    for path in paths:
        if not isinstance(path, str) or "\0" in path or not path.strip():
            raise DatasetError(f"{where}: {key} is {excerpt(value)}; write the path of a folder of images")
    return paths


def _base(root: Path, value: Any) -> str:
    """Return the folder that ``path`` names; the root if there is none, as where another machine wrote the file."""
    if not isinstance(value, str) or "\0" in value:
        return ""
    found = locate_below(root, "", value)
    return found if found is not None and (root / found).is_dir() else ""


def locate_below(root: Path, base: str, path: str) -> str | None:
    """Find the file or folder of a path that was perhaps written on another machine.

    Args:
        root: folder of the data set.
        base: folder relative to the root, to which relative paths refer first.
        path: relative or absolute, with slashes or backslashes; ``../`` at its beginning may lead out of the root.

    Returns:
        Relative to the root, the first that exists of the path itself, and of ever fewer of its last components;
        None if none exists.
    """
    plain = path.strip().replace("\\", "/")
    parts = [part for part in plain.split("/") if part not in ("", ".")]
    top = os.path.realpath(root)
    for start in range(len(parts)):
        for folder in dict.fromkeys((base, "")):
            found = posixpath.normpath(join(folder, "/".join(parts[start:])))
            if found.startswith("../") or found == "..":
                continue
            try:
                inside = (root / found).exists() and is_inside(root / found, top)
            except OSError:  # a name that is too long
                inside = False
            if inside:
                return "" if found == "." else found
    return "" if not parts and plain.startswith(".") else None
