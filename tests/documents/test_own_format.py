"""The page about a format of one's own shows the code of the example, piece by piece."""

from __future__ import annotations

from tests.documents.blocks import ROOT, blocks_of

EXAMPLE = ROOT / "docs" / "examples" / "easy_vqa" / "florence2_easy_vqa.py"


def test_the_page_shows_the_code_of_the_example() -> None:
    *pieces, use = [block.text for block in blocks_of(ROOT / "docs" / "own_format.md") if block.language == "python"]
    code = EXAMPLE.read_text(encoding="utf-8")
    assert all(piece in code for piece in pieces)
    shown = sum(piece.count("\n") for piece in pieces)
    assert shown > 0.75 * code.count("\n"), "the page leaves out most of the example"
    assert "read_dataset" in use
