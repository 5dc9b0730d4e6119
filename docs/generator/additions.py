"""What an addition edits: the files of the library and of the page generator that name a member of the same kind."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

__all__ = ["ADDITIONS", "Addition", "files_naming", "unit_tests_naming"]

_ROOMS = ("florence2", "pipelines", "steps", "materializers", "docs/generator")

_GENERATED = "Made by ``python -m docs.generator``"

_STUBS = ("florence2/__init__.pyi", "florence2/evaluation/__init__.pyi")
"""Into these ``docs.generator.stubs`` writes the metrics; whoever adds one does not edit them."""


@dataclass(frozen=True)
class Addition:
    """A kind of thing that is added to the library.

    Attributes:
        what: in words.
        member: one that is there.
        pattern: by which names and texts in the code mean it; a text that has it as an example should not match.
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
    Addition("a validation rule", "box-outside", r"^box[-_]outside$", 1),
    Addition("a training option", "eos_weight", r"eos_weight", 3),
    Addition("a task", "<OCR>", r"^<OCR>$", 4),
)


def files_naming(addition: Addition, root: Path) -> list[str]:
    """Return the files of a repository whose code names a member, but not those that are generated.

    Comments and docstrings do not count.

    Args:
        addition: the kind, and the member.
        root: the folder of the repository.
    """
    files = [file for room in _ROOMS for pattern in ("*.py", "*.pyi") for file in (root / room).rglob(pattern)]
    names = sorted(file.relative_to(root).as_posix() for file in files if file.name != Path(__file__).name)
    return [name for name in names if name not in _STUBS and _is_named(addition, root / name)]


def unit_tests_naming(addition: Addition, root: Path) -> list[str]:
    """Return the unit tests of the files of ``files_naming`` that name the member as well.

    Args:
        addition: the kind, and the member.
        root: the folder of the repository.
    """
    tests = [f"tests/unit/{_test_of(name.removeprefix('florence2/'))}" for name in files_naming(addition, root)]
    return [test for test in tests if (root / test).is_file() and _is_named(addition, root / test)]


def _test_of(module: str) -> str:
    """Return the path of the unit test of a module: ``x/test_y.py`` for ``x/y.py``."""
    path = PurePosixPath(module)
    return path.with_name(f"test_{path.stem.strip('_')}.py").as_posix()


def _is_named(addition: Addition, file: Path) -> bool:
    return any(map(re.compile(addition.pattern).search, _kept_names_and_texts(file.read_text("utf-8"))))


@cache
def _kept_names_and_texts(source: str) -> tuple[str, ...]:
    """Return what ``_names_and_texts`` yields, found once for all additions."""
    return tuple(_names_and_texts(source))


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
