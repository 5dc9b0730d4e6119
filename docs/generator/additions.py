"""What an addition edits: the files of the library and of the page generator that name a member of the same kind."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ADDITIONS", "Addition", "files_naming"]

_ROOMS = ("florence2", "pipelines", "steps", "materializers", "docs/generator")

_GENERATED = "Made by ``python -m docs.generator``"


@dataclass(frozen=True)
class Addition:
    """A kind of thing that is added to the library.

    Attributes:
        what: in words.
        member: one that is there.
        pattern: by which names and texts in the code mean it.
        earlier: how many files named it at commit d77b950, before the rooms; by ``files_naming`` with the folder into
            which ``git archive d77b950 | tar x`` had put it.
    """

    what: str
    member: str
    pattern: str
    earlier: int


ADDITIONS = (
    Addition("a data format", "yolo", r"(?i)yolo", 6),
    Addition("a metric", "anls", r"(?i)anls", 5),
    Addition("a validation rule", "box-outside", r"box[-_]outside", 3),
    Addition("a training option", "eos_weight", r"eos_weight", 3),
    Addition("a task", "<OCR>", r"<OCR>", 4),
)


def files_naming(addition: Addition, root: Path) -> list[str]:
    """Return the files of a repository whose code names a member, but not those that are generated.

    Comments and docstrings do not count.

    Args:
        addition: the kind, and the member.
        root: the folder of the repository.
    """
    files = [file for room in _ROOMS for pattern in ("*.py", "*.pyi") for file in (root / room).rglob(pattern)]
    named = re.compile(addition.pattern)
    return sorted(
        file.relative_to(root).as_posix()
        for file in files
        if file.name != Path(__file__).name and any(map(named.search, _names_and_texts(file.read_text("utf-8"))))
    )


def _names_and_texts(source: str) -> Iterator[str]:
    if _GENERATED in source[:500]:
        return
    tree = ast.parse(source)
    documenting = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if node not in documenting:
                yield text
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=str(name)):
                yield name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.alias(name=name):
                yield name
            case ast.ImportFrom(module=str(name)):
                yield name
