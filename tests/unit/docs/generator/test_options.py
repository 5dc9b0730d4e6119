from __future__ import annotations

import pytest
from docutils import nodes
from pygments.token import Name  # type: ignore[import-untyped]

from docs.generator.options import CommandLexer, CommandSessionLexer, _mark


@pytest.mark.parametrize(
    ("line", "options"),
    [
        ("florence2 train --dataset=my-set -v\n", ["--dataset=my-set", "-v"]),
        ("docker build --tag name .\n", ["--tag"]),
        ("echo my-set\n", []),
    ],
)
def test_options_of_a_command_are_marked_as_a_whole(line: str, options: list[str]) -> None:
    assert [text for kind, text in CommandLexer().get_tokens(line) if kind is Name.Attribute] == options


def test_output_of_a_command_has_no_options() -> None:
    tokens = CommandSessionLexer().get_tokens("$ florence2 --help\n--not-an-option\n")
    assert [text for kind, text in tokens if kind is Name.Attribute] == ["--help"]


@pytest.mark.parametrize(("text", "marked"), [("--dataset=D", True), ("my-set", False), ("--" + "long" * 10, False)])
def test_options_in_the_text_are_marked_if_they_fit_into_a_line(text: str, marked: bool) -> None:
    document = nodes.document(None, None)
    document += (literal := nodes.literal(text, text))
    _mark(None, document)
    assert ("option" in literal["classes"]) is marked
