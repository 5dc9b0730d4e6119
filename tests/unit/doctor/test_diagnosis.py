"""All checks together: a crash of one does not affect the others, and other packages add theirs."""

from __future__ import annotations

from florence2.doctor import Check, diagnose, known_checks


def test_one_that_crashes_does_not_keep_the_others_from_ending(checks: str) -> None:
    ended: list[str] = []
    wanted = [Check("b", f"{checks}:dies", 30), Check("a", f"{checks}:fine", 20)]
    found = diagnose(wanted, done=lambda check: ended.append(check.name))
    assert list(found) == ["b", "a"]
    assert [found["b"][0].level, found["a"][0].level] == ["problem", "ok"]
    assert sorted(ended) == ["a", "b"]


def test_other_packages_add_checks_by_entry_points() -> None:
    functions = {check.name: check.function for check in known_checks()}
    assert functions["zenml"] == "pipelines.stack_checks:check_stack"
    assert list(functions)[:3] == ["python", "packages", "extras"]
