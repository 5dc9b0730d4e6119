"""Markdown that shows texts of the code as they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["MADE", "escaped", "table"]

MADE = "<!-- made by `python -m docs.generator`: edit the code, not this page -->"
"""Second line of every generated page."""


def escaped(text: str) -> str:
    """Keep tokens such as <OD> from being taken for HTML, and bars from ending a cell."""
    return text.replace("<", "\\<").replace("|", "\\|").replace("*", "\\*")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; cells are Markdown already."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
