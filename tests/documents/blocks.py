"""The code blocks of README.md and docs/, and what each page says about those that are not run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PAGES", "ROOT", "Block", "Console", "blocks_of", "commands_of", "consoles_of", "name_of"]

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted(p for p in (ROOT / "docs").rglob("*.md") if "_build" not in p.parts)]
"""Every page with blocks to run."""

_FENCE = re.compile(
    r"(?:^[ ]*<!--\s*(?P<marker>(?:not run|run by|file):.*?)-->\s*\n)?"  # on the lines just before
    r"^(?P<indent>[ ]*)(?P<ticks>`{3,})(?P<language>[^\n`]*)\n(?P<text>.*?)^[ ]*(?P=ticks)[ ]*$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A code block.

    Attributes:
        page: the file.
        line: its first line of code, from 1.
        language: the word after the backticks.
        text: the code.
        reason: why it is not run here, or None.
        run_by: what runs it instead: a file, or ``file::name of a test``; None if nothing does.
        file: the file whose content it is; commands after it find that file.
    """

    page: Path
    line: int
    language: str
    text: str
    reason: str | None = None
    run_by: str | None = None
    file: str | None = None

    @property
    def location(self) -> str:
        """Return where it is, for messages."""
        return f"{name_of(self.page)}:{self.line}"


@dataclass(frozen=True)
class Console:
    """A command as somebody types it, and what it prints, ``...`` for anything."""

    command: str
    printed: str


def name_of(page: Path) -> str:
    """Return the path of a page below the root of the project."""
    return page.relative_to(ROOT).as_posix()


def blocks_of(page: Path) -> list[Block]:
    """Return the code blocks of a page in order, without directives of Sphinx."""
    text = page.read_text(encoding="utf-8")
    return [
        block for found in _FENCE.finditer(text) if not (block := _block(page, text, found)).language.startswith("{")
    ]


def _block(page: Path, text: str, found: re.Match[str]) -> Block:
    kind, _, what = (found["marker"] or "").partition(":")
    what = " ".join(what.split()) or None
    line = text.count("\n", 0, found.start("text")) + 1
    code = re.sub(rf"^{found['indent']}", "", found["text"], flags=re.MULTILINE)
    return Block(
        page,
        line,
        found["language"].strip(),
        code,
        reason=what if kind == "not run" else None,
        run_by=what if kind == "run by" else None,
        file=what if kind == "file" else None,
    )


def commands_of(block: Block) -> Iterator[str]:
    """Yield the commands of a block for a shell, continued lines joined, without comments."""
    for line in block.text.replace("\\\n", " ").splitlines():
        command = re.sub(r"(^|\s)#.*", "", line).strip()
        if command:
            yield command


def consoles_of(block: Block) -> Iterator[Console]:
    """Yield the commands of a console, the lines that begin with ``$``, each with what it prints."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, printed = part.partition("\n")
        yield Console(command, printed)
