"""Caching that follows the code: a step runs again when the library code that it can reach has changed.

ZenML keys a cached step on the source of the step itself; an edit in a module that the step calls would
leave a stale result. ``follow_code`` reads the imports of the step's file, of the files it imports, and so on,
and makes all of them part of the cache key. Only imports are read: nothing is executed.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from zenml.config.cache_policy import CachePolicy

__all__ = ["code_of", "files_reached_from", "follow_code"]

_ROOT = Path(__file__).resolve().parent.parent
_PACKAGES = ("florence2", "materializers", "steps")


def follow_code(step_file: str, *, but_not: Sequence[str] = ()) -> CachePolicy:
    """Return the cache policy of a step.

    Args:
        step_file: ``__file__`` of the module that defines the step.
        but_not: modules whose code counts in another way: they and what only they import are left out. The step has a
            parameter for their ``code_of`` where it counts for some settings only, or an input that they made.

    Returns:
        A policy whose key changes with every file of this project that the step can import.
    """
    reached = files_reached_from(Path(step_file).resolve(), but_not=but_not)
    return CachePolicy(file_dependencies=[file.relative_to(_ROOT).as_posix() for file in reached])


def code_of(module: str) -> str:
    """Return the sha256 of a module's file and of all files of this project that it can import."""
    digest = hashlib.sha256()
    for file in files_reached_from(next(_file_of(module))):
        digest.update(file.relative_to(_ROOT).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def files_reached_from(file: Path, *, but_not: Sequence[str] = ()) -> list[Path]:
    """Return the project's Python files that a file imports, directly or not, itself included, sorted.

    Templates that lie beside one of them are among them: an edit changes what that file makes.

    Args:
        file: where to begin.
        but_not: modules that are not followed.
    """
    left_out = {found for module in but_not for found in _file_of(module)}
    reached: set[Path] = set()
    waiting = [file]
    while waiting:
        current = waiting.pop()
        if current not in reached and current not in left_out:
            reached.add(current)
            waiting.extend(_imports(current))
    templates = {found for file in reached for kind in ("*.html", "*.md") for found in file.parent.glob(kind)}
    return sorted(reached | templates)


def _imports(file: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            # `from package import name` may name a module or something in it
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            yield from _file_of(name)


def _file_of(module: str) -> Iterator[Path]:
    if module.split(".")[0] in _PACKAGES:
        path = _ROOT.joinpath(*module.split("."))
        yield from (file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file())
