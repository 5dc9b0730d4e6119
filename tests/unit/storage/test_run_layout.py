"""The names of a run's files are in the layout, in its description, and in no other module."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

import pytest

from florence2.storage import run_layout
from florence2.storage.run_layout import AnswerFiles, CheckpointFiles, ReportFiles, RunFiles, StateFiles
from tests import ROOT

LAYOUTS = (RunFiles, StateFiles, CheckpointFiles, ReportFiles, AnswerFiles)


def names_in(layout: type) -> set[str]:
    return {value for name, value in vars(layout).items() if name.isupper()}


@pytest.mark.parametrize("layout", [RunFiles, StateFiles, CheckpointFiles, AnswerFiles])
def test_the_description_shows_every_name(layout: type) -> None:
    description = inspect.getdoc(run_layout) or ""
    unseen = {"window.json"}  # an inner file of a save
    assert {name for name in names_in(layout) if name not in description} <= unseen


def test_no_other_module_spells_a_file_name() -> None:
    files = {name for layout in LAYOUTS for name in names_in(layout) if "." in name or "/" in name}
    found = {
        (str(path.relative_to(ROOT)), text)
        for room in ("florence2", "steps", "pipelines", "materializers")
        for path in (ROOT / room).rglob("*.py")
        if path.name != "run_layout.py"
        for text in texts_in(ast.parse(path.read_text(encoding="utf-8")))
        if text in files
    }
    assert not found


def texts_in(tree: ast.Module) -> Iterator[str]:
    """Yield the texts in a module, docstrings and parts of f-strings included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value.strip("/")
