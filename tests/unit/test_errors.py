"""Errors keep their parts, also through a pickle, by which worker processes return them."""

from __future__ import annotations

import pickle

from florence2 import errors
from florence2.errors import AnnotationFileError, Florence2Error, ImageError, OverloadedError


def test_an_annotation_file_is_named_with_its_line() -> None:
    assert str(AnnotationFileError("a.json", "not valid JSON", 3)) == "a.json:3: not valid JSON"
    assert str(AnnotationFileError("a.json", "is empty")) == "a.json: is empty"


def test_parts_of_an_error_survive_a_pickle() -> None:
    found = pickle.loads(pickle.dumps(AnnotationFileError("a.json", "not valid JSON", 3)))
    assert (found.file, found.problem, found.line) == ("a.json", "not valid JSON", 3)


def test_an_error_carries_what_its_handler_needs() -> None:
    assert ImageError("a.png: cut off", "truncated").defect == "truncated"
    assert OverloadedError("the queue is full", 7).retry_seconds == 7


def test_the_hierarchy_in_the_description_is_that_of_the_classes() -> None:
    shown = [line for line in (errors.__doc__ or "").splitlines() if "Error " in line and line.startswith("    ")]
    names = [line.strip("│├└─ ").split()[0] for line in shown]
    depths = [line.index(name) // 4 - 1 for line, name in zip(shown, names, strict=True)]
    assert sorted(names) == sorted(errors.__all__)
    for name, depth in zip(names, depths, strict=True):
        kind = getattr(errors, name)
        assert depth == kind.mro().index(Florence2Error)
