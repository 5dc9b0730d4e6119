"""The metrics among the public names: one line for each in two files, the ``__init__.pyi`` of package and room."""

from __future__ import annotations

import re
from pathlib import Path

import florence2
from florence2.evaluation.metrics.registry import METRICS

__all__ = ["evaluation_stub", "public_stub"]

_PACKAGE = Path(florence2.__file__).parent
_METRIC = re.compile(r"from \S+ import (\w+Metric) as \1")
_BASES = {"AnswerMetric", "Metric"}


def public_stub() -> str:
    """Return ``florence2/__init__.pyi`` with each metric of the list."""
    return _with_metrics(_PACKAGE / "__init__.pyi", {kind.__name__: ".evaluation" for kind in METRICS.values()})


def evaluation_stub() -> str:
    """Return ``florence2/evaluation/__init__.pyi`` with each metric of the list."""
    room = "florence2.evaluation"
    homes = {kind.__name__: kind.__module__.removeprefix(room) for kind in METRICS.values()}
    return _with_metrics(_PACKAGE / "evaluation" / "__init__.pyi", homes)


def _with_metrics(stub: Path, homes: dict[str, str]) -> str:
    """Return the text of a stub with one import for each metric, in the order in which ruff sorts imports.

    Args:
        stub: the file; its imports come first.
        homes: module of each metric, relative to the package, by the name of the class.
    """
    imports, blank, rest = stub.read_text(encoding="utf-8").partition("\n\n")
    lines = [line for line in imports.splitlines() if not _is_of_a_metric(line)]
    lines += [f"from {module} import {name} as {name}" for name, module in homes.items()]
    lines.sort(key=_order)
    return "\n".join(lines) + (blank + rest or "\n")


def _is_of_a_metric(line: str) -> bool:
    match = _METRIC.fullmatch(line)
    return match is not None and match[1] not in _BASES


def _order(line: str) -> tuple[str, int, str]:
    """Order by module, then constants before classes before functions, each without regard to case."""
    _, module, _, name, *_ = line.split()
    kind = 0 if name.isupper() else 1 if name[0].isupper() else 2
    return module, kind, name.lower()
