"""Metrics of the user's own, found by the name of their class: ``my_package.metrics:MyMetric``."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Collection
from typing import Any

from florence2.errors import ConfigurationError
from florence2.evaluation.metrics.metric import Metric

__all__ = ["own_metric"]


def own_metric(name: str, taken: Collection[str]) -> type[Metric[Any, Any]]:
    """Return a class by its module and its name.

    Args:
        name: ``module:Class``; the module is imported if it has not been.
        taken: names of metrics that it must not have.

    Raises:
        ConfigurationError: there is no such class, or it is no metric that can be used; says what is missing.
    """
    module, _, path = name.partition(":")
    try:
        found: Any = sys.modules.get(module) or importlib.import_module(module)
    except Exception as exc:  # whatever the user's module does
        raise ConfigurationError(
            f"metric {name!r}: {module} cannot be imported ({exc}); install it, or put its folder in PYTHONPATH"
        ) from exc
    for part in path.split("."):
        found = getattr(found, part, None)
    if found is None:
        where = "is known in its own script alone; run it there" if module == "__main__" else f"is not in {module}"
        raise ConfigurationError(f"metric {name!r}: {path} {where}")
    if problem := _problem(found, taken):
        raise ConfigurationError(f"metric {name!r}: {problem}")
    metric: type[Metric[Any, Any]] = found
    return metric


def _problem(found: Any, taken: Collection[str]) -> str | None:
    if not (isinstance(found, type) and issubclass(found, Metric)):
        return "is no class below florence2.Metric"
    if inspect.isabstract(found):
        return f"lacks {', '.join(sorted(found.__abstractmethods__))}"
    if not isinstance(getattr(found, "name", None), str):
        return "needs a name, as in: name = 'my_metric'"
    if found.name in taken:
        return f"has the name {found.name!r} of a metric that there is already; give another"
    if not found.judges:
        return "must say what it can read, as in: judges = (AnswerKind.BOXES,)"
    # Reports know a score by its name alone, and one that they do not know as larger for better. A class may still
    # have the attribute by which its direction was once said.
    if not all(f.higher_is_better for f in found.declared_scores()) or not getattr(found, "higher_is_better", True):
        return "counts errors, which reports would take for a gain; let it return a score that is larger for better"
    if any(p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in _parameters(found)):
        return "is made anew for each split, without arguments: give those of its __init__ defaults"
    return None


def _parameters(kind: type) -> list[inspect.Parameter]:
    return list(inspect.signature(kind).parameters.values())
