"""The page about a rule of one's own shows the code of the example."""

from __future__ import annotations

from tests.documents.blocks import ROOT, blocks_of

EXAMPLE = ROOT / "docs" / "examples" / "question_marks" / "florence2_question_marks.py"


def test_the_page_shows_the_code_of_the_example() -> None:
    *pieces, use = [block.text for block in blocks_of(ROOT / "docs" / "own_rule.md") if block.language == "python"]
    code = EXAMPLE.read_text(encoding="utf-8")
    assert len(pieces) == 2
    assert all(piece in code for piece in pieces)
    assert "question_unmarked.check(" in use
