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
    text = made().summary_text(limit=1)
    assert text.splitlines() == [
        # The length of answers is not checked here.
        f"3 samples checked by {len(RULES) - 1} rules: 1 error, 1 warning; 1 defect repaired in 1 sample; "
        "1 sample quarantined",
        "train/annotations.jsonl:1: The suffix is empty: '' (write the answer, or remove the line)",
        "... and 1 more; florence2 validate counts all and lists up to 1000 of each rule (--limit)",
    ]


def test_names_give_no_orders_to_the_terminal() -> None:
    name = "a\x1b[2J\nerror.png"
    rows = manifest({"file": f"{name}l", "line_error": f"bad {name}"}, root="/da\nta", images={name: {}})
    clean, report = check(rows)
    assert {v.file for v in report.violations} == {name, f"{name}l"}, "the report itself keeps them as they are"
    with pytest.raises(InvalidAnnotationsError) as caught:
        raise_for_errors(clean, report)
    lines = [*report.summary_text().splitlines(), *str(caught.value).splitlines()]
    assert len(lines) == 3 + 2
    assert all(line.isprintable() for line in lines)
    assert lines[1].startswith(r"a\x1b[2J\nerror.pngl:1: bad a\x1b[2J\nerror.png (")


def test_a_violation_of_a_file_has_no_line() -> None:
    violation = Violation("image-cmyk", "note", "warn", "a.png", 0, "CMYK", "CMYK is converted", "nothing")
    assert str(violation) == "a.png: CMYK is converted (nothing)"


def test_a_message_of_a_megabyte_is_cut_where_it_is_shown() -> None:
    violation = Violation("x", "error", "fail", "a.jsonl", 3, "v", "y" * 2**20, "shorten it")
    assert str(violation) == f"a.jsonl:3: {'y' * 1000}... (shorten it)"
    assert len(violation.message) == 2**20
