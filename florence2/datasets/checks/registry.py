"""Every rule that is known: those of this package, and those that other packages add by entry points.

A package adds a rule by an entry point of the group ``florence2.rules`` with the rule's code as its name, as
docs/own_rule.md shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points

from florence2.datasets.checks.definition import Rule
from florence2.datasets.checks.rules import RULES
from florence2.errors import ConfigurationError

__all__ = ["ENTRY_POINTS", "known_rules", "rule_modules"]

ENTRY_POINTS = "florence2.rules"
"""The group of entry points by which other packages add rules."""


def known_rules() -> tuple[Rule, ...]:
    """Return the rules of this package, then those of other packages by their codes.

    Raises:
        ConfigurationError: a rule of another package cannot be loaded, or its code is that of another rule; the message
            names the package. It is not left out: a check that is missed without a word is worse than none.
    """
    added: list[Rule] = []
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: (point.name, point.value)):
        added.append(_load(point, (*RULES, *added)))
    return (*RULES, *added)


def rule_modules() -> list[str]:
    """Return the modules of other packages from which rules are loaded, sorted; all have been imported.

    Raises:
        ConfigurationError: as ``known_rules``.
    """
    known_rules()
    return sorted({point.module for point in entry_points(group=ENTRY_POINTS)})


def _load(point: EntryPoint, others: Sequence[Rule]) -> Rule:
    """Return the rule that an entry point names."""
    package = point.dist.name if point.dist else point.module
    what = f"the rule {point.name} of {package}"
    try:
        found = point.load()
    except Exception as exc:  # the module of the other package may raise anything
        raise ConfigurationError(
            f"{what} cannot be loaded from {point.value}: {type(exc).__name__}: {exc}; update or uninstall {package}"
        ) from exc
    if not isinstance(found, Rule):
        raise ConfigurationError(
            f"{what}: {point.value} is a {type(found).__name__}, not a rule; give a function with the decorator rule"
        )
    if found.code != point.name:
        raise ConfigurationError(f"{what} has the code {found.code}; its entry point must have the same name")
    if found.code in {other.code for other in others}:
        raise ConfigurationError(f"{what} has the code of another rule; update or uninstall {package}")
    return found
