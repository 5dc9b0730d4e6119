"""The keywords that type checkers and editors know are those of the sections' fields."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from docs.generator.keywords import annotation_source, keywords_module
from tests import ROOT


def test_the_committed_module_is_current() -> None:
    committed = (ROOT / "florence2/config/keywords.py").read_text(encoding="utf-8")
    assert committed == keywords_module(), "run: python -m docs.generator"


@pytest.mark.parametrize(
    ("annotation", "source"),
    [
        (float | None, "float | None"),
        (Annotated[int, Field(ge=0)], "int"),
        (Literal["a", 'b"'], r'Literal["a", "b\""]'),
        (tuple[str, ...], "Sequence[str]"),
        (dict[str, int], "Mapping[str, int]"),
    ],
)
def test_a_type_is_written_as_python(annotation: Any, source: str) -> None:
    assert annotation_source(annotation) == source
