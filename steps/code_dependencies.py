"""Caching that follows the code: a step runs again when the library code that it can reach has changed.

ZenML keys a cached step on the source of the step itself; after an edit in a module that the step calls,
the result would be out of date. ``follow_code`` reads the imports of the step's file, of the files it imports, and so
on, and makes all of them part of the cache key. Only imports are read: nothing is executed.
"""

from __future__ import annotations

import ast
import hashlib
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from importlib.util import resolve_name
from itertools import chain
from pathlib import Path

from zenml.config.cache_policy import CachePolicy

__all__ = ["code_of", "code_of_modules", "files_reached_from", "follow_code"]

_ROOT = Path(__file__).resolve().parent.parent
_PACKAGES = ("florence2", "materializers", "steps")
_TARGET = re.compile(r"[A-Za-z_]\w*(\.\w+)+:\w+")
"""``package.module:attribute``, as entry points are written."""


def follow_code(step_file: str, *, but_not: Sequence[str] = ()) -> CachePolicy:
    """Return the cache policy of a step.

    Args:
        step_file: ``__file__`` of the module that defines the step.
        but_not: modules that are not followed, with what only they import. Their code counts in another way: by a
            parameter of the step that holds their ``code_of``, or by an input that they made.

    Returns:
        A policy whose key changes with every file of this project that the step can import.
    """
    reached = files_reached_from(Path(step_file).resolve(), but_not=but_not)
    return CachePolicy(file_dependencies=[file.relative_to(_ROOT).as_posix() for file in reached])


def code_of(module: str) -> str:
    """Return the sha256 of a module's file and of all files of this project that it can import."""
    return _digest(files_reached_from(next(_file_of(module))), _ROOT)


def code_of_modules(modules: Iterable[str]) -> str:
    """Return the hashes of the code of metrics and rules of users and of other packages.

    Hashed are each module and the modules next to it that it can import; of a module in an installed package only that
    package. What it imports of this project counts by ``follow_code``.

    Args:
        modules: in which they are; they have been imported.

    Returns:
        A sha256 for each module, one after the other; empty where there is none.
    """
    return "".join(map(_own_code, sorted(set(modules))))


def _own_code(module: str) -> str:
    """Return the sha256 of a module of the user and of those in its folder that it can import."""
    file = Path(sys.modules[module].__file__ or "")
    package_depth = module.count(".") + (file.name == "__init__.py")
    root = file.parents[package_depth]
    own = module.partition(".")[0]
    installed = root.name in ("site-packages", "dist-packages")

    def find(name: str) -> Iterator[Path]:
        top = name.partition(".")[0]
        if top not in _PACKAGES and (top == own or not installed):
            yield from _files_of(name, root)

    return _digest(_reached(file, lambda current: chain(*map(find, _imported(current, root)))), root)


def files_reached_from(file: Path, *, but_not: Sequence[str] = ()) -> list[Path]:
    """Return the project's Python files that a file imports, directly or not, itself included, sorted.

    The templates in their folders are included: an edit of one changes what the code there makes.

    Args:
        file: the first file.
        but_not: modules that are not followed.
    """
    left_out = {found for module in but_not for found in _file_of(module)}

    def imports(current: Path) -> Iterator[Path]:
        yield from (found for name in _imported(current, _ROOT) for found in _file_of(name) if found not in left_out)

    reached = _reached(file, imports)
    templates = {found for file in reached for kind in ("*.html", "*.md") for found in file.parent.glob(kind)}
    return sorted(reached | templates)


def _reached(file: Path, imports: Callable[[Path], Iterable[Path]]) -> set[Path]:
    """Return a file and all files that it imports, directly or not."""
    reached: set[Path] = set()
    waiting = [file]
    while waiting:
        current = waiting.pop()
        if current not in reached:
            reached.add(current)
            waiting.extend(imports(current))
    return reached


def _imported(file: Path, root: Path) -> Iterator[str]:
    """Yield the names of all modules that a Python file below ``root`` may import."""
    if file.suffix != ".py":
        return
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = ".".join(file.parent.relative_to(root).parts)
            module = resolve_name("." * node.level + (node.module or ""), package)
            homes = _homes_of(module)
            for alias in node.names:
                # `from package import name` may name a module or something in the package
                yield from [homes[alias.name]] if alias.name in homes else [module, f"{module}.{alias.name}"]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _TARGET.fullmatch(node.value):
            yield node.value.partition(":")[0]  # a list of what is imported when it is used, as that of the formats


@cache
def _homes_of(room: str) -> dict[str, str]:
    """Return the module from which a room takes each of its public names, by its ``__init__.pyi``.

    The ``__init__.py`` next to such a stub only loads what the stub names, so that it does not count.
    """
    stub = _ROOT.joinpath(*room.split("."), "__init__.pyi")
    if room.split(".")[0] not in _PACKAGES or not stub.is_file():
        return {}
    nodes = [node for node in ast.parse(stub.read_text(encoding="utf-8")).body if isinstance(node, ast.ImportFrom)]
    return {alias.name: f"{room}.{node.module}" for node in nodes for alias in node.names}


def _file_of(module: str) -> Iterator[Path]:
    if module.split(".")[0] in _PACKAGES:
        yield from _files_of(module, _ROOT)


def _files_of(module: str, root: Path) -> Iterator[Path]:
    path = root.joinpath(*module.split("."))
    yield from (file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file())


def _digest(files: Iterable[Path], root: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()
