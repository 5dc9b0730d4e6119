"""The sizes in ``architecture.md`` are those of the code of today. A small training is traced, for about a minute."""

from __future__ import annotations

from docs.generator.house import sizes_page
from docs.generator.pages import DOCS


def test_the_sizes_are_up_to_date() -> None:
    assert (DOCS / "architecture.md").read_text(encoding="utf-8") == sizes_page(), "run: make sizes"
