from __future__ import annotations

from pathlib import Path

from docs.generator.code_lines import code_lines, code_lines_of

SOURCE = '''"""Docstring
of two lines."""

import json  # a comment beside code

# a comment
NAME = "text"
"""What the constant means."""


def function(first: int) -> str:
    """Docstring."""
    return (
        "a text"
        """that goes on
        here"""
    )
'''


def test_docstrings_comments_and_empty_lines_are_no_code() -> None:
    assert code_lines_of(SOURCE) == 8
    assert code_lines_of('"""Only a docstring."""\n') == code_lines_of("") == 0


def test_modules_and_stubs_of_all_folders_count(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "a.py").write_text("x = 1\ny = 2\n")
    (tmp_path / "inner" / "b.pyi").write_text("x: int\n")
    (tmp_path / "page.html").write_text("no code\n")
    assert code_lines(tmp_path) == 3
