"""Marks the options in pages and commands, so that ``reading.css`` can keep each of them whole.

A browser may break a line after any hyphen: ``--dataset`` would become two dashes and a word on the next line.
"""

from __future__ import annotations

from typing import Any, ClassVar

from docutils import nodes
from pygments.lexer import inherit  # type: ignore[import-untyped]
from pygments.lexers.shell import BashLexer, BashSessionLexer  # type: ignore[import-untyped]
from pygments.token import Name  # type: ignore[import-untyped]

__all__ = ["CommandLexer", "CommandSessionLexer", "register_options"]

_LONGEST = 30
"""Characters that fit into a line of a phone."""


class CommandLexer(BashLexer):  # type: ignore[misc]
    """Reads commands, as ``sh`` blocks hold them; an option is an attribute (``na``), with its value behind ``=``."""

    tokens: ClassVar[dict[str, list[Any]]] = {
        "root": [(r"(?<!\S)--?[A-Za-z][\w-]*(=[^\s\"'$`\\;|&()<>]+)?", Name.Attribute), inherit]
    }


class CommandSessionLexer(BashSessionLexer):  # type: ignore[misc]
    """Reads commands after ``$`` and what they print, as ``console`` blocks hold them."""

    _innerLexerCls = CommandLexer  # noqa: N815 - so it is called there


def register_options(app: Any) -> None:
    """Let a Sphinx application know options, in blocks and in the text."""
    app.add_lexer("sh", CommandLexer)
    app.add_lexer("console", CommandSessionLexer)
    app.connect("doctree-read", _mark)


def _mark(app: Any, doctree: nodes.document) -> None:  # noqa: ARG001
    for literal in doctree.findall(nodes.literal):
        words = literal.astext().split()
        if any(word.startswith("-") for word in words) and max(map(len, words)) <= _LONGEST:
            literal["classes"].append("option")
