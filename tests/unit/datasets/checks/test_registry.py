"""Rules of other packages, found by their entry points."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from florence2.config import ValidationConfig
from florence2.datasets.checks.outcomes import outcomes_of
from florence2.datasets.checks.registry import known_rules, rule_modules
from florence2.datasets.checks.rules import RULES
from florence2.errors import ConfigurationError
from tests.plugins import write_package

SOURCE = '''
import numpy as np
from florence2.datasets.checks import Finding, RowsView, rule

@rule(RowsView, "warning", remedy="none", example="any line")
def line_ours(view):
    """Every line is ours."""
    return Finding(np.ones(len(view.table), dtype=bool), lambda row: "ours")

no_rule = len
'''


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def add(site: Path, package: str, source: str = SOURCE, **points: str) -> None:
    targets = {code.replace("_", "-"): f"{package}_rules:{attribute}" for code, attribute in points.items()}
    write_package(site, package, {f"{package}_rules": source}, {"florence2.rules": targets})


def test_without_other_packages_the_rules_are_those_of_this_one() -> None:
    assert known_rules() == RULES
    assert rule_modules() == []


def test_a_package_adds_a_rule_that_the_configuration_knows(site: Path) -> None:
    add(site, "registry_good", line_ours="line_ours")
    assert [rule.code for rule in known_rules()] == [*(rule.code for rule in RULES), "line-ours"]
    assert known_rules()[-1].sentence == "Every line is ours."
    assert outcomes_of(ValidationConfig())["line-ours"] == "warn"
    assert outcomes_of(ValidationConfig(rules={"line-ours": "quarantine"}))["line-ours"] == "quarantine"
    assert rule_modules() == ["registry_good_rules"]


@pytest.mark.parametrize(
    ("package", "points", "source", "message"),
    [
        (
            "registry_broken",
            {"line_ours": "line_ours"},
            "import no_such_library",
            "the rule line-ours of registry_broken cannot be loaded from registry_broken_rules:line_ours: "
            "ModuleNotFoundError: No module named 'no_such_library'; update or uninstall registry_broken",
        ),
        ("registry_type", {"no_rule": "no_rule"}, SOURCE, "is a builtin_function_or_method, not a rule"),
        ("registry_name", {"line_mine": "line_ours"}, SOURCE, "has the code line-ours; its entry point must have"),
        (
            "registry_again",
            {"box_tiny": "box_tiny"},
            SOURCE.replace("line_ours", "box_tiny"),
            "the rule box-tiny of registry_again has the code of another rule",
        ),
    ],
)
def test_a_rule_that_cannot_be_used_is_an_error_that_names_its_package(
    site: Path, package: str, points: dict[str, str], source: str, message: str
) -> None:
    add(site, package, source, **points)
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        known_rules()


def test_two_packages_cannot_add_one_code(site: Path) -> None:
    add(site, "registry_first", line_ours="line_ours")
    add(site, "registry_second", line_ours="line_ours")
    with pytest.raises(ConfigurationError, match="the rule line-ours of registry_second has the code of another rule"):
        known_rules()
