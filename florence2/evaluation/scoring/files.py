"""Reads the files that ``florence2 score`` compares, and reports all their problems together, with their lines."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any

from florence2.datasets import BadValueError, bounded_lines, coco_id, excerpt, parse_object, walk_json
from florence2.errors import DatasetError

__all__ = ["FileProblems", "id_of", "walk_file", "walk_lines"]

_LISTED = 20


class FileProblems:
    """The problems of files, in the order of their lines."""

    def __init__(self) -> None:
        self._found: dict[Path, list[tuple[int, str]]] = {}

    def add(self, file: Path, line: int | None, problem: str) -> None:
        """Note a problem of a line, or of a file as a whole."""
        where = f"{file}" if line is None else f"{file}:{line}"
        self._found.setdefault(file, []).append((line or 0, f"{where}: {problem}"))

    def concern(self, file: Path) -> bool:
        """Return whether a file has problems."""
        return file in self._found

    def raise_for_any(self) -> None:
        """Raise a ``DatasetError`` that lists the problems, if there are any."""
        found = [problem for file in self._found.values() for _, problem in sorted(file, key=lambda pair: pair[0])]
        if found:
            more = [f"... and {len(found) - _LISTED} more"] if len(found) > _LISTED else []
            count = f"{len(found)} problem{'s' if len(found) > 1 else ''}; nothing was scored:"
            raise DatasetError("\n  ".join([count, *found[:_LISTED], *more]))


def walk_file(file: Path, opening: str, problems: FileProblems) -> Iterator[tuple[str, dict[str, Any], int]]:
    """Yield the objects in the arrays of a JSON file, with the key of the array and the line; other values are skipped.

    Args:
        file: the file.
        opening: ``{`` for an object of arrays, ``[`` for one array, whose key is empty.
        problems: receives what cannot be read.
    """
    line = None
    try:
        text = file.read_bytes().decode("utf-8-sig")
        if not text.lstrip().startswith(opening):
            kind = {"{": "an object, a COCO data set", "[": "an array, a COCO results list"}[opening]
            problems.add(
                file, 1, f"must hold {kind}; it {f'begins with {text[:20]!r}' if text.strip() else 'is empty'}"
            )
            return
        for key, value, line in walk_json(text):
            if isinstance(value, dict):
                yield key, value, line
            elif key in ("", "images", "categories", "annotations"):
                problems.add(file, line, f"{excerpt(value)} is not a JSON object")
    except OSError as exc:
        problems.add(file, None, f"cannot be read ({exc.strerror}); check the path")
    except UnicodeDecodeError as exc:
        problems.add(file, None, f"not valid UTF-8 at byte {exc.start + 1}")
    except json.JSONDecodeError as exc:
        problems.add(file, exc.lineno, f"not valid JSON, {exc.msg} at column {exc.colno}")
    except (ValueError, RecursionError) as exc:
        problems.add(file, line, f"not valid JSON after this line ({exc})")


def walk_lines(file: Path, problems: FileProblems) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield number and object of each line of a JSON Lines file; what cannot be read is added to the problems."""
    empty = True
    try:
        with file.open("rb") as handle:
            for number, raw in enumerate(bounded_lines(handle), start=1):
                try:
                    values = parse_object(raw)
                except BadValueError as exc:
                    problems.add(file, number, str(exc))
                    values, empty = None, False
                if values is not None:
                    yield number, values
                    empty = False
    except OSError as exc:
        problems.add(file, None, f"cannot be read ({exc.strerror}); check the path")
    else:
        if empty:
            problems.add(file, None, "is empty; it must hold a JSON object on each line")


def id_of(part: Mapping[str, Any], key: str, known: Mapping[Any, object] | None = None, of: str = "") -> Hashable:
    """Return an id, a whole number or a text.

    Args:
        part: the object that holds it.
        key: of the value.
        known: ids of which it must be one.
        of: what these are.

    Raises:
        BadValueError: it is missing, of another type, or none of the known ones.
    """
    value = coco_id(part, key)
    if known is not None and value not in known:
        raise BadValueError(f"{key} {excerpt(value)} is not one of the {of}")
    return value
