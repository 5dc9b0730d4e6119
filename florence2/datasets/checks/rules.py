"""The rules that annotations must keep: the one rule set, declarative, and what the settings make of each.

A rule is a condition on a column of a view, with what to tell the user. To add a rule, add it to its file in
``florence2.datasets.checks`` and, if it looks at something new, the column to the view. Nothing is evaluated here; that
is done by ``florence2.adapters.great_expectations`` alone.
"""

from __future__ import annotations

import difflib

from florence2.config import Outcome, ValidationConfig
from florence2.datasets.checks.box_rules import BOX_RULES, CLASS_RULES
from florence2.datasets.checks.image_rules import IMAGE_RULES, SPLIT_RULES
from florence2.datasets.checks.row_rules import ROW_RULES
from florence2.datasets.checks.rule import Rule
from florence2.errors import ConfigurationError

__all__ = ["RULES", "outcomes_of"]

RULES: tuple[Rule, ...] = (*ROW_RULES, *BOX_RULES, *CLASS_RULES, *IMAGE_RULES, *SPLIT_RULES)
"""Every rule, in the order in which they are reported."""


def outcomes_of(config: ValidationConfig) -> dict[str, Outcome]:
    """Return what becomes of those who break each rule, by the rule's code.

    Args:
        config: the outcome of errors in general and of single rules.

    Raises:
        ConfigurationError: a code is unknown, or its rule cannot have the outcome; the message lists all of them.
    """
    by_code = {rule.code: rule for rule in RULES}
    problems = [
        f"validation.rules.{code}: {problem}"
        for code, outcome in config.rules.items()
        if (problem := _unknown(code) if code not in by_code else _refusal(by_code[code], outcome))
    ]
    if problems:
        raise ConfigurationError("\n  ".join(["invalid configuration:", *problems]))
    return {rule.code: config.rules.get(rule.code, _default(rule, config)) for rule in RULES}


def _default(rule: Rule, config: ValidationConfig) -> Outcome:
    if config.on_error == "repair" and rule.repair is not None:
        return "repair"
    if rule.severity != "error":
        return "warn"
    return "quarantine" if config.on_error == "quarantine" and rule.concerns_rows else "fail"


def _unknown(code: str) -> str:
    known = [rule.code for rule in RULES]
    near = difflib.get_close_matches(code, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"the rules are {', '.join(known)}"
    return f"no such rule; {hint}"


def _refusal(rule: Rule, outcome: Outcome) -> str:
    """Say why a rule cannot have an outcome, empty if it can."""
    if outcome == "repair" and rule.repair is None:
        able = ", ".join(other.code for other in RULES if other.repair is not None)
        return f"there is no safe repair for it; give another outcome (repair is there for {able})"
    if outcome == "quarantine" and not rule.concerns_rows:
        return "it concerns no row that could be left out; give fail, warn or ignore"
    if outcome in ("warn", "ignore") and rule.severity == "error" and not rule.tolerable:
        return f"{outcome} would let in what no training can use; give fail or quarantine"
    return ""
