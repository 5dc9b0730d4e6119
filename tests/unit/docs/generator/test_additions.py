from __future__ import annotations

from pathlib import Path

import pytest

from docs.generator.additions import ADDITIONS, Addition, files_naming
from tests import ROOT

SHAPES = Addition("a shape", "circle", r"(?i)circle", 0)


@pytest.mark.parametrize("addition", ADDITIONS, ids=lambda addition: addition.member)
def test_every_member_is_named_by_the_code(addition: Addition) -> None:
    assert files_naming(addition, ROOT)


@pytest.mark.parametrize(
    "code",
    [
        "import circle",
        "from shapes.circle import area",
        "from shapes import Circle as Round",
        "class Circle: ...",
        "def draw_circle(): ...",
        "def draw(circle): ...",
        "draw(circle=1)",
        "shape.circle",
        "NAMES = ['circle']",
        "TEXT = f'a circle of {size}'",
    ],
)
def test_names_and_texts_count(code: str, tmp_path: Path) -> None:
    (tmp_path / "florence2").mkdir()
    (tmp_path / "florence2" / "a.py").write_text(code)
    assert files_naming(SHAPES, tmp_path) == ["florence2/a.py"]


@pytest.mark.parametrize(
    "code",
    ["# a circle", '"""About a circle."""', "SQUARE = 4", '"""Made by ``python -m docs.generator``."""\ncircle = 1'],
)
def test_comments_docstrings_and_generated_files_do_not_count(code: str, tmp_path: Path) -> None:
    (tmp_path / "florence2").mkdir()
    (tmp_path / "florence2" / "a.py").write_text(code)
    assert files_naming(SHAPES, tmp_path) == []
