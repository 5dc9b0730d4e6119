"""What a report says, as text, as JSON and as an error."""

from __future__ import annotations

import json

import pytest

from florence2.datasets.checks.report import ValidationReport, Violation, raise_for_errors
from florence2.datasets.checks.rules import RULES
from florence2.errors import InvalidAnnotationsError
from tests.builders import manifest
from tests.rules import check


def made() -> ValidationReport:
    rows = manifest({"suffix": ""}, {"suffix": "cat <loc_1><loc_2><loc_90><loc_40>"}, {}, images={"z.png": {}})
    return check(rows, on_error="quarantine", rules={"class-blanks": "repair"})[1]


def test_from_dict_inverts_to_dict() -> None:
    report = made()
    assert len(report.violations) == 3
    assert report.quarantine
    assert ValidationReport.from_dict(json.loads(json.dumps(report.to_dict()))) == report


def test_to_dict_says_how_many_rows_are_left_out() -> None:
    assert made().to_dict()["rows_quarantined"] == 1


def test_summary_lists_errors_first_and_counts_the_rest() -> None:
    lines = made().summary_text().splitlines()
    assert lines[:4] == [
        # The length of answers is not checked here.
        f"3 samples checked by {len(RULES) - 1} rules: 1 error, 1 warning; 1 defect repaired in 1 sample; "
        "1 sample quarantined",
        "suffix-empty: 1 error (quarantine)",
        "  train/annotations.jsonl:1: The suffix is empty: ''",
        "  remedy: write the answer, or remove the line",
    ]
    assert [line for line in lines[4:] if not line.startswith(" ")] == [
        "image-unused: 1 warning (warn)",
        "class-blanks: 1 warning (repair)",
    ]


def test_of_many_findings_three_of_each_rule_are_shown_and_all_on_request() -> None:
    clean, report = check(manifest(*({"suffix": ""} for _ in range(5))))
    lines = report.summary_text().splitlines()
    assert [line for line in lines if ":1:" in line or ":3:" in line or ":4:" in line] == lines[2:5:2]
    assert lines[5:] == [
        "  ... and 2 more",
        "  remedy: write the answer, or remove the line",
        "florence2 validate --all lists up to 1,000 of each rule",
    ]
    assert len(report.summary_text(None).splitlines()) == 1 + 1 + 5 + 1
    with pytest.raises(InvalidAnnotationsError) as caught:
        raise_for_errors(clean, report)
    assert str(caught.value).splitlines()[-1] == (
        "  correct them, or go on without these lines by validation.on_error: quarantine (--on-error)"
    )


def test_names_give_no_orders_to_the_terminal() -> None:
    name = "a\x1b[2J\nerror.png"
    rows = manifest({"file": f"{name}l", "line_error": f"bad {name}"}, root="/da\nta", images={name: {}})
    clean, report = check(rows)
    assert {v.file for v in report.violations} == {name, f"{name}l"}, "the report itself keeps them as they are"
    with pytest.raises(InvalidAnnotationsError) as caught:
        raise_for_errors(clean, report)
    lines = [*report.summary_text().splitlines(), *str(caught.value).splitlines()]
    assert all(line.isprintable() for line in lines)
    assert lines[2] == r"  a\x1b[2J\nerror.pngl:1: bad a\x1b[2J\nerror.png"


def test_a_violation_of_a_file_has_no_line() -> None:
    violation = Violation("image-cmyk", "note", "warn", "a.png", 0, "CMYK", "CMYK is converted", "nothing")
    assert str(violation) == "a.png: CMYK is converted (nothing)"


def test_a_message_of_a_megabyte_is_cut_where_it_is_shown() -> None:
    violation = Violation("x", "error", "fail", "a.jsonl", 3, "v", "y" * 2**20, "shorten it")
    assert str(violation) == f"a.jsonl:3: {'y' * 1000}... (shorten it)"
    assert len(violation.message) == 2**20
