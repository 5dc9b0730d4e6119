"""Metrics that are not part of this library: a user's class, and those of installed packages.

A user names the class, ``my_package.metrics:MyMetric``. A package names its metric by an entry point of the group
``florence2.metrics``; the name of the entry point is that of the metric. Such a metric is used where it is named in
``evaluation.metrics``; to install a package changes no default.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Collection, Mapping
from typing import Any

from florence2.errors import ConfigurationError
from florence2.evaluation.metrics.metric import Metric
from florence2.plugins import plugins_of

__all__ = ["ENTRY_POINTS", "load_metric", "load_plugin", "plugin_names", "source_modules"]

ENTRY_POINTS = "florence2.metrics"
"""The group of the entry points by which packages add metrics."""

_Known = Mapping[str, type[Metric[Any, Any]]]


def load_metric(name: str, known: _Known) -> type[Metric[Any, Any]]:
    """Return a metric by its module and class.

    Args:
        name: ``module:Class``; the module is imported if it is not yet.
        known: metrics of this library, whose names and scores it must not redefine.

    Raises:
        ConfigurationError: there is no such class, or it is not a metric that can be used; the message says what is
            missing.
    """
    module, _, path = name.partition(":")
    try:
        found: Any = sys.modules.get(module) or importlib.import_module(module)
    except Exception as exc:  # the user's module may raise anything
        raise ConfigurationError(
            f"metric {name!r}: {module} cannot be imported ({exc}); install it, or add its folder to PYTHONPATH"
        ) from exc
    for part in path.split("."):
        found = getattr(found, part, None)
    if found is None:
        where = "is defined in another script; run that script" if module == "__main__" else f"is not in {module}"
        raise ConfigurationError(f"metric {name!r}: {path} {where}")
    return _checked(found, f"metric {name!r}", known)


def source_modules(names: Collection[str]) -> list[str]:
    """Return the modules from which metrics of users and of installed packages are loaded; other names have none."""
    modules = {name.partition(":")[0] for name in names if ":" in name}
    return sorted(modules | {plugin.module for plugin in plugins_of(ENTRY_POINTS) if plugin.name in names})


def plugin_names() -> list[str]:
    """Return the names of the metrics of installed packages, sorted; none of them is imported."""
    return sorted({plugin.name for plugin in plugins_of(ENTRY_POINTS)})


def load_plugin(name: str, known: _Known) -> type[Metric[Any, Any]]:
    """Return a metric of an installed package.

    Args:
        name: of the metric and of its entry point.
        known: metrics of this library, whose names and scores it must not redefine.

    Raises:
        ConfigurationError: it cannot be imported or used, or two packages have a metric of that name; the message names
            the packages.
    """
    plugins = [plugin for plugin in plugins_of(ENTRY_POINTS) if plugin.name == name]
    if len({plugin.target for plugin in plugins}) > 1:
        targets = " or ".join(plugin.target for plugin in plugins)
        packages = " and ".join(plugin.package for plugin in plugins)
        raise ConfigurationError(f"metric {name!r} is of the packages {packages}; name the class instead: {targets}")
    what = f"metric {name!r} of the package {plugins[0].package}"
    metric = _checked(plugins[0].load(what), what, known)
    if metric.name != name:
        raise ConfigurationError(f"{what}: its class has the name {metric.name!r}; its entry point must have the same")
    return metric


def _checked(found: Any, what: str, known: _Known) -> type[Metric[Any, Any]]:
    """Return a class after making sure that it can be used as a metric.

    Raises:
        ConfigurationError: it cannot.
    """
    if problem := _problem(found, known):
        raise ConfigurationError(f"{what}: {problem}")
    metric: type[Metric[Any, Any]] = found
    return metric


def _problem(found: Any, known: _Known) -> str | None:
    if not (isinstance(found, type) and issubclass(found, Metric)):
        return "is not a class below florence2.Metric"
    if inspect.isabstract(found):
        return f"lacks {', '.join(sorted(found.__abstractmethods__))}"
    if not isinstance(getattr(found, "name", None), str):
        return "needs a name, as in: name = 'my_metric'"
    if found.name in known:
        return f"has the name {found.name!r} of a metric of this library; give another name"
    if not found.answer_kinds:
        return "must declare what it reads, as in: answer_kinds = (AnswerKind.BOXES,)"
    directions = {score.name: score.higher_is_better for kind in known.values() for score in kind.declared_scores()}
    for score in found.declared_scores():
        if directions.get(score.name, score.higher_is_better) != score.higher_is_better:
            return f"turns the direction of the score {score.name!r} of this library; give the score another name"
    if any(p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in _parameters(found)):
        return "is created without arguments for each split; give the parameters of its __init__ default values"
    return None


def _parameters(kind: type) -> list[inspect.Parameter]:
    return list(inspect.signature(kind).parameters.values())
