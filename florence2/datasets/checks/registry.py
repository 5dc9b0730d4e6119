"""Every rule that is known: those of this package, and those that other packages add by entry points.

A package adds a rule by an entry point of the group ``florence2.rules`` with the rule's code as its name, as
docs/own_rule.md shows.
"""

from __future__ import annotations

from collections.abc import Sequence

from florence2.datasets.checks.definition import Rule
from florence2.datasets.checks.rules import RULES
from florence2.errors import ConfigurationError
from florence2.plugins import Plugin, plugin_modules, plugins_of

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
    for plugin in plugins_of(ENTRY_POINTS):
        added.append(_load(plugin, (*RULES, *added)))
    return (*RULES, *added)


def rule_modules() -> list[str]:
    """Return the modules of other packages from which rules are loaded, sorted; all have been imported.

    Raises:
        ConfigurationError: as ``known_rules``.
    """
    known_rules()
    return plugin_modules(ENTRY_POINTS)


def _load(plugin: Plugin, others: Sequence[Rule]) -> Rule:
    """Return the rule that a package adds."""
    what = f"the rule {plugin.name} of {plugin.package}"
    found = plugin.load(what)
    if not isinstance(found, Rule):
        raise ConfigurationError(
            f"{what}: {plugin.target} is a {type(found).__name__}, not a rule; give a function with the decorator rule"
        )
    if found.code != plugin.name:
        raise ConfigurationError(f"{what} has the code {found.code}; its entry point must have the same name")
    if found.code in {other.code for other in others}:
        raise ConfigurationError(f"{what} has the code of another rule; update or uninstall {plugin.package}")
    return found
