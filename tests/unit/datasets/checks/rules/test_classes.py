"""The rules about class names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.builders import manifest
from tests.rules import BOX, found, task


def classes(*names: str, row: Mapping[str, Any] | None = None, **config: Any) -> list[tuple[str, int, str]]:
    return found(manifest(*({"suffix": f"{name}{BOX}"} | dict(row or {}) for name in names)), **config)


def test_stray_blanks_are_reported_once_for_each_spelling() -> None:
    findings = classes("red car", " red car", "red  car", "red\u00a0car", " red car")
    assert [(code, line) for code, line, _ in findings] == [
        ("class-blanks", 2),
        ("class-blanks", 3),
        ("class-blanks", 4),
    ]
    assert findings[0][2] == "' red car' of 2 boxes, first here, should be 'red car'"


def test_the_rarer_of_two_cases_is_reported() -> None:
    assert [(code, line) for code, line, _ in classes("Cat", "cat", "cat", "dog")] == [("class-case", 1)]
    assert classes("Cat", "cat")[0][1] == 2


def test_typing_errors() -> None:
    pairs = [("platelts", "platelets"), ("Trafficlight", "traffic light"), ("hammmer", "hammer")]
    rare, frequent = zip(*pairs, strict=True)
    findings = classes(*rare, *frequent * 20)
    assert [(code, line) for code, line, _ in findings] == [("class-typo", line) for line in (1, 2, 3)]
    assert findings[1][2] == "'Trafficlight', first here, is nearly the frequent 'traffic light'"


def test_names_that_count_or_are_short_are_no_typing_errors() -> None:
    pairs = [
        ("type 1", "type 2"),
        ("class10", "class1"),
        ("group A", "group B"),
        ("dog", "dig"),
        ("a mat", "a cat"),
    ]
    rare, frequent = zip(*pairs, strict=True)
    assert classes(*rare, *frequent * 20) == []


def test_nearly_equal_names_that_are_both_frequent_are_two_classes() -> None:
    assert classes(*["glass"] * 7, *["grass"] * 30) == []


def test_how_much_more_frequent_the_right_name_is_can_be_set() -> None:
    names = ["platelts", *["platelets"] * 15]
    assert [(code, line) for code, line, _ in classes(*names)] == [("class-typo", 1)]
    assert classes(*names, typo_ratio=16) == []
    assert classes(*names[:5]) == [], "four to one"


def test_phrases_are_no_classes() -> None:
    for token in ({"task": "<DENSE_REGION_CAPTION>"}, task("<OPEN_VOCABULARY_DETECTION>", "", "cars")):
        row = {"prefix": token["task"]} | {name: value for name, value in token.items() if name != "suffix"}
        assert classes("a car", "A car", "a cat", rare_class=5, row=row) == []


def test_rare_classes_and_those_in_the_test_alone() -> None:
    rows = [{"suffix": f"cat{BOX}"}] * 3 + [{"suffix": f"dog{BOX}"}, {"suffix": f"cow{BOX}", "split": "test"}]
    findings = found(manifest(*rows), rare_class=3)
    assert [(code, line) for code, line, _ in findings] == [("class-rare", 4), ("class-test-only", 5)]
