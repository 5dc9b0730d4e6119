from __future__ import annotations

from pathlib import Path

import pytest

from docs.generator.additions import ADDITIONS, Addition, files_naming, unit_tests_naming
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


def test_stubs_into_which_the_metrics_are_written_do_not_count(tmp_path: Path) -> None:
    for room in ("", "evaluation", "codec"):
        (tmp_path / "florence2" / room).mkdir(exist_ok=True)
        (tmp_path / "florence2" / room / "__init__.pyi").write_text("from .round import Circle as Circle")
    assert files_naming(SHAPES, tmp_path) == ["florence2/codec/__init__.pyi"]


def test_a_text_with_the_code_of_a_rule_as_an_example_does_not_count(tmp_path: Path) -> None:
    (rule,) = (addition for addition in ADDITIONS if addition.member == "box-outside")
    (tmp_path / "florence2").mkdir()
    (tmp_path / "florence2" / "boxes.py").write_text("def box_outside(): ...")
    (tmp_path / "florence2" / "sections.py").write_text("MEANING = 'an outcome, for example box-outside: repair'")
    assert files_naming(rule, tmp_path) == ["florence2/boxes.py"]


def test_tests_of_the_edited_files_that_name_the_member_are_found(tmp_path: Path) -> None:
    for file, code in {
        "florence2/shapes/round.py": "class Circle: ...",
        "florence2/shapes/__init__.py": "from .round import Circle",
        "docs/generator/shapes.py": "ORDER = ['circle']",
        "tests/unit/shapes/test_round.py": "def test_a_circle_is_round(): ...",
        "tests/unit/shapes/test_init.py": "def test_every_shape(): ...",
        "tests/unit/docs/generator/test_shapes.py": "assert 'circle'",
        "tests/unit/test_all.py": "assert 'circle'",
    }.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(code)
    expected = ["tests/unit/docs/generator/test_shapes.py", "tests/unit/shapes/test_round.py"]
    assert unit_tests_naming(SHAPES, tmp_path) == expected
