"""The ids of a COCO data set and the names that they mean, for results that were made with other ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from florence2.datasets.formats.positioned_json import walk_json
from florence2.datasets.formats.values import BadValueError, checked_text, excerpt
from florence2.errors import DatasetError

__all__ = ["CocoIds", "coco_id", "read_coco_ids"]


@dataclass(frozen=True)
class CocoIds:
    """The ids of a COCO data set.

    Attributes:
        images: file name by id.
        categories: class name by id.
        annotated: ids of the categories that have annotations.
    """

    images: Mapping[Hashable, str]
    categories: Mapping[Hashable, str]
    annotated: frozenset[Hashable] = frozenset()

    def image_named(self, name: str) -> Hashable | None:
        """Return the id of the image with a file name, None where there is none.

        Folders before the name may differ: the images that share the most of the end of the path are taken. A name
        without its ending fits too, since some tools use it as an id.

        Raises:
            BadValueError: several images fit.
        """
        parts = _parts(name)
        for start in range(len(parts)):
            if found := self._by_end.get(parts[start:]):
                return self._only(found, f"file name {excerpt(name)}", self.images)
        return None

    def category_named(self, name: str) -> Hashable | None:
        """Return the id of the category with a name, None where there is none; blanks at its ends do not count.

        Of several with that name the one with annotations is taken: exports of Roboflow may list the name of the whole
        set as a category, too.

        Raises:
            BadValueError: several categories with annotations have that name, or none of several.
        """
        found = self._by_class.get(" ".join(name.split()))
        if found is None:
            return None
        annotated = [own for own in found if own in self.annotated]
        return self._only(annotated or found, f"class {excerpt(name)}", self.categories)

    def _only(self, found: Iterable[Hashable], what: str, names: Mapping[Hashable, str]) -> Hashable:
        first, *others = found
        if others:
            listed = ", ".join(f"{excerpt(own)} ({excerpt(names[own])})" for own in (first, *others[:2]))
            raise BadValueError(f"{what} fits {1 + len(others)} ids: {listed}; names must differ")
        return first

    @cached_property
    def _by_end(self) -> dict[tuple[str, ...], list[Hashable]]:
        """The images by every end of their path, with the ending of the file and without it."""
        found: dict[tuple[str, ...], dict[Hashable, None]] = defaultdict(dict)
        for own, name in self.images.items():
            parts = _parts(name)
            stem = parts[-1].rpartition(".")[0] or parts[-1]
            for start in range(len(parts)):
                found[parts[start:]][own] = None
                found[(*parts[start:-1], stem)][own] = None
        return {end: list(ids) for end, ids in found.items()}

    @cached_property
    def _by_class(self) -> dict[str, list[Hashable]]:
        found: dict[str, list[Hashable]] = defaultdict(list)
        for own, name in self.categories.items():
            found[" ".join(name.split())].append(own)
        return dict(found)


def read_coco_ids(file: Path) -> CocoIds:
    """Read the ids of a COCO data set.

    Args:
        file: JSON with ``images`` (``id``, ``file_name``) and ``categories`` (``id``, ``name``).

    Raises:
        DatasetError: it cannot be read; names the line.
    """
    names: dict[str, dict[Hashable, str]] = {"images": {}, "categories": {}}
    annotated: set[Hashable] = set()
    reached = 1
    try:
        for key, part, line in walk_json(file.read_bytes().decode("utf-8-sig")):
            reached = line
            if key == "annotations":
                annotated.add(coco_id(part, "category_id"))
            elif key in names:
                own = coco_id(part, "id")
                if own in names[key]:
                    raise BadValueError(f"id {excerpt(own)} of the {key} occurs twice")
                name = "file_name" if key == "images" else "name"
                names[key][own] = checked_text(part.get(name), name)
    except OSError as exc:
        raise DatasetError(f"{file}: cannot be read ({exc.strerror}); check the path") from exc
    except (ValueError, RecursionError) as exc:
        raise DatasetError(
            f"{file}:{reached}: is not a COCO data set ({exc}); give one whose images and categories have ids and names"
        ) from exc
    for key, found in names.items():
        if not found:
            raise DatasetError(f"{file}: lacks {key}; give a COCO data set with images and categories")
    return CocoIds(names["images"], names["categories"], frozenset(annotated))


def coco_id(part: Any, key: str) -> Hashable:
    """Return an id, a whole number or a text.

    Raises:
        BadValueError: it is missing or of another type.
    """
    if not isinstance(part, dict):
        raise BadValueError(f"{excerpt(part)} is not a JSON object")
    value = part.get(key)
    if type(value) not in (int, str):  # true and false are integers as well
        raise BadValueError(
            f"{key} is {excerpt(value)}, not a whole number or a text" if key in part else f"no {key!r}"
        )
    return value


def _parts(name: str) -> tuple[str, ...]:
    """Return the parts of a path; it may have been written on Windows."""
    found = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    return tuple(found) or (name,)
