"""Messages that no test can cause, such as that of a full disk, are at least those of the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.documents.blocks import ROOT, Block, blocks_of

PAGE = ROOT / "docs" / "troubleshooting.md"
QUOTED = [block for block in blocks_of(PAGE) if block.language == "text" and not block.file]


def templates() -> Iterator[str]:
    """Yield every text in the source, with ``...`` for each value."""
    for folder in ("florence2", "pipelines", "steps"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    yield "".join(str(v.value) if isinstance(v, ast.Constant) else "..." for v in node.values)
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value


@pytest.mark.parametrize("block", QUOTED, ids=lambda block: block.location)
def test_a_quoted_message_is_one_of_the_source(block: Block) -> None:
    parts = [part.strip() for part in block.text.split("...") if part.strip()]
    assert parts
    assert any(all(part in text for part in parts) for text in templates()), block.text


def test_some_messages_are_quoted() -> None:
    assert len(QUOTED) >= 5
