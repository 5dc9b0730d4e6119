"""A text below a constant describes that constant; two texts in a row mean that one is under the wrong name."""

from __future__ import annotations

import ast
import itertools
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("florence2", "pipelines", "steps", "materializers", "benchmarks", "pretraining", "docs", "tests")


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def test_no_two_docstrings_follow_each_other() -> None:
    misplaced, constants = [], 0
    for file in (file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")):
        body = ast.parse(file.read_text(encoding="utf-8")).body
        for above, below in itertools.pairwise(body):
            constants += isinstance(above, ast.Assign | ast.AnnAssign) and _is_text(below)
            if _is_text(above) and _is_text(below):
                misplaced.append(f"{file.relative_to(ROOT)}:{below.lineno}")
    assert not misplaced
    assert constants > 50, "no documented constants were found: the folders have moved"
