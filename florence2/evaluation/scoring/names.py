"""Finds the images and the classes of COCO results by name where their ids are not those of the references."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Mapping, Sized
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from florence2.datasets import BadValueError, checked_text, coco_id, excerpt

__all__ = ["NameMatcher"]

_EXAMPLES = 3
_KEYS = {"images": ("image_id", "file_name"), "classes": ("category_id", "category_name")}
"""Of the id and of the name in a result."""
_ONE = {"images": "image", "classes": "class"}


@dataclass
class NameMatcher:
    """Turns the ids in results, of images or of classes, into those of the references, and counts what it finds.

    A name is that which the result itself holds, else that which the data set of the predictions gives to its id, else
    the id itself where it is a text that is no id of the references. Where there is no name, the id must be one of the
    references.

    Attributes:
        what: what is matched: ``images`` or ``classes``.
        ids: of the references.
        names: name by id of the references, where there is one.
        find: returns the id of the references with a name.
        given: name by id in the data set of the predictions; None where there is none.
        source: the file of that data set.
        matched: ids of the references that were found.
        renamed: names that were found with another id.
        unknown: number of results by the name that the references lack.
    """

    what: Literal["images", "classes"]
    ids: Collection[Hashable]
    names: Mapping[Hashable, str]
    find: Callable[[str], Hashable | None]
    given: Mapping[Hashable, str] | None
    source: Path
    matched: set[Hashable] = field(default_factory=set)
    renamed: set[str] = field(default_factory=set)
    unknown: Counter[str] = field(default_factory=Counter)
    _file_of: dict[Hashable, str] = field(default_factory=dict)

    def id_of(self, part: Mapping[str, Any]) -> Hashable | None:
        """Return the id of a result among the references; None where they lack its name.

        Raises:
            BadValueError: it has neither a name nor an id of the references, or its name fits several.
        """
        key, name_key = _KEYS[self.what]
        own = part.get(key)
        name = checked_text(part[name_key], name_key) if name_key in part else self._name_of(coco_id(part, key))
        found = own if name is None else self.find(name)
        if found is None:
            self.unknown[str(name)] += 1
            return None
        self.matched.add(found)
        if name is not None:
            if self.what == "images" and self._file_of.setdefault(found, name) != name:
                raise BadValueError(
                    f"file names {excerpt(self._file_of[found])} and {excerpt(name)} both fit image {excerpt(found)} "
                    "of the references; leave out the results of one"
                )
            if found != own:
                self.renamed.add(name)
        return found

    def refusal(self, references: Path) -> str | None:
        """Return why nothing can be scored: every result is of an image or a class that the references lack."""
        if self.matched or not self.unknown:
            return None
        theirs = f"which has {_listed(list(self.names.values()))}" if self.names else "which has no names of them"
        return (
            f"none of its {self.what} ({_listed(self.unknown)}) is in {references}, {theirs}; "
            f"give references that have them, or use the same names"
        )

    def notes(self, references: Path) -> list[str]:
        """Return sentences about what was matched by name, and what was left out."""
        sentences = []
        if self.renamed:
            by = "file name" if self.what == "images" else "name"
            sentences.append(
                f"matched {_count(self.renamed, self.what)} by {by}, since the ids of the predictions are not those of "
                f"{references}"
            )
        if self.unknown:
            number = sum(self.unknown.values())
            sentences.append(
                f"left out {number} {'box' if number == 1 else 'boxes'} of {_count(self.unknown, self.what)} that "
                f"{references} lacks: {_listed(self.unknown)}"
            )
        if missing := self._not_predicted():
            sentences.append(
                f"{missing} of {len(self.ids)} images in {references} are not in {self.source}: they were not "
                "predicted, and count as images without boxes"
            )
        return sentences

    def _not_predicted(self) -> int:
        """Return how many images of the references the data set of the predictions lacks."""
        if self.given is None or self.what != "images":
            return 0
        predicted = set(self.matched)
        for name in self.given.values():
            with contextlib.suppress(BadValueError):  # a name that fits several, and has no result
                predicted.add(self.find(name))
        return len(self.ids) - len(predicted - {None})

    def _name_of(self, own: Hashable) -> str | None:
        """Return the name of an id; None where it is one of the references and nothing gives it a name."""
        key, _ = _KEYS[self.what]
        if self.given is not None:
            if own not in self.given:
                raise BadValueError(f"{key} {excerpt(own)} is not in {self.source}, which defines the ids here")
            return self.given[own]
        if own in self.ids:
            return None
        if isinstance(own, str):
            return own
        raise BadValueError(
            f"{key} {excerpt(own)} is not one of the {'images' if self.what == 'images' else 'categories'}; if these "
            "results have ids of their own, give the data set that defines them by --predictions-dataset"
        )


def _count(names: Sized, what: Literal["images", "classes"]) -> str:
    return f"1 {_ONE[what]}" if len(names) == 1 else f"{len(names)} {what}"


def _listed(names: Collection[str]) -> str:
    """Return a few names as an enumeration."""
    first = [excerpt(name) for name in islice(names, _EXAMPLES)]
    return ", ".join(first) + (", ..." if len(names) > _EXAMPLES else "")
