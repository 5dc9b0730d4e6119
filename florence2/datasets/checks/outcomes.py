"""What becomes of the items that break a rule: outcomes by the configuration, and which of them a rule can have."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from florence2.config import Outcome, ValidationConfig
from florence2.datasets.checks.definition import Rule
from florence2.datasets.checks.registry import known_rules
from florence2.errors import ConfigurationError

__all__ = ["outcomes_of"]


def outcomes_of(config: ValidationConfig, rules: Sequence[Rule] | None = None) -> dict[str, Outcome]:
    """Return what becomes of the items that break each rule, by the rule's code.

    Args:
        config: the outcome of errors in general and of single rules.
        rules: the rules; all that are known if none are given.

    Raises:
        ConfigurationError: a code is unknown, or its rule cannot have the outcome; the message lists all of them.
    """
    rules = known_rules() if rules is None else rules
    by_code = {rule.code: rule for rule in rules}
    problems = [
        f"validation.rules.{code}: {problem}"
        for code, outcome in config.rules.items()
        if (problem := _refusal(by_code[code], outcome, rules) if code in by_code else _unknown(code, rules))
    ]
    if problems:
        raise ConfigurationError("\n  ".join(["invalid configuration:", *problems]))
    return {rule.code: config.rules.get(rule.code, _default(rule, config)) for rule in rules}


def _default(rule: Rule, config: ValidationConfig) -> Outcome:
    if config.on_error == "repair" and rule.repair is not None:
        return "repair"
    if rule.severity != "error":
        return "warn"
    return "quarantine" if config.on_error == "quarantine" and rule.concerns_rows else "fail"


def _unknown(code: str, rules: Sequence[Rule]) -> str:
    known = [rule.code for rule in rules]
    near = difflib.get_close_matches(code, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"the rules are {', '.join(known)}"
    return f"no such rule; {hint}"


def _refusal(rule: Rule, outcome: Outcome, rules: Sequence[Rule]) -> str:
    """Say why a rule cannot have an outcome, empty if it can."""
    if outcome == "repair" and rule.repair is None:
        able = ", ".join(other.code for other in rules if other.repair is not None)
        return f"there is no safe repair for it; give another outcome (repair is there for {able})"
    if outcome == "quarantine" and not rule.concerns_rows:
        return "it concerns no row that could be left out; give fail, warn or ignore"
    if outcome in ("warn", "ignore") and rule.severity == "error" and not rule.tolerable:
        return f"{outcome} would let in what no training can use; give fail or quarantine"
    return ""
