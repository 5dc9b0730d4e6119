"""The configuration decides what becomes of the rows that break a rule."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from florence2.datasets.checks.report import LISTED_PER_RULE, QuarantinedRow, raise_for_errors
from florence2.errors import DatasetError, InvalidAnnotationsError
from tests.builders import manifest, read_boxes
from tests.rules import BOX, OTHER, check, task


def test_nothing_found_leaves_the_manifest_as_it_is() -> None:
    rows = manifest({}, {})
    clean, report = check(rows)
    assert clean is rows
    assert report.violations == ()
    raise_for_errors(clean, report)


def test_fail_lists_examples_and_counts_all() -> None:
    clean, report = check(manifest(*({"suffix": ""} for _ in range(LISTED_PER_RULE + 50))))
    assert report.counts == {"suffix-empty": LISTED_PER_RULE + 50}
    assert len(report.violations) == LISTED_PER_RULE
    with pytest.raises(InvalidAnnotationsError) as caught:
        raise_for_errors(clean, report)
    lines = str(caught.value).splitlines()
    assert "1050 errors in the annotations of /data" in lines[0]
    assert lines[1].strip() == "suffix-empty: 1050 errors (fail)"
    assert lines[2].strip().startswith("train/annotations.jsonl:1: The suffix is empty")
    assert lines[5].strip() == "... and 1047 more"
    assert "quarantine" in lines[-1]
    assert len(lines) == 9


def test_quarantine_leaves_rows_out_and_keeps_them() -> None:
    rows = manifest({"suffix": "a<loc_9><loc_1><loc_2><loc_3>b<loc_1>"}, {}, {"suffix": ""})
    clean, report = check(rows, on_error="quarantine")
    assert clean.table["line"].tolist() == [2]
    assert report.rows_quarantined == 2
    assert report.quarantine[0] == QuarantinedRow(
        "train/annotations.jsonl",
        1,
        ("location-count", "box-inverted"),
        "train/1.png",
        "<OD>",
        "a<loc_9><loc_1><loc_2><loc_3>b<loc_1>",
    )
    raise_for_errors(clean, report)


def test_quarantine_by_image_and_by_class_reaches_their_rows() -> None:
    rows = [{"image": "x.png"}, {"image": "x.png"} | task("<VQA>", "a", "b"), {"suffix": f"Cat{BOX}"}, {}, {}]
    rules = {"image-greyscale": "quarantine", "class-case": "quarantine"}
    clean, report = check(manifest(*rows, images={"x.png": {"mode": "L"}}), rules=rules)
    assert clean.table["line"].tolist() == [4, 5]
    assert [row.codes for row in report.quarantine] == [("image-greyscale",)] * 2 + [("class-case",)]


def test_two_rows_of_one_line_are_distinguished() -> None:
    rows = manifest({"line": 1, "image": "a.png"}, {"line": 1, "image": "b.png", "suffix": ""})
    assert check(rows, on_error="quarantine")[0].table["image"].tolist() == ["a.png"]


def test_quarantine_of_all_that_trains_is_an_error() -> None:
    clean, report = check(manifest({"suffix": ""}, {"split": "test"}), on_error="quarantine")
    with pytest.raises(DatasetError, match="nothing to train on") as caught:
        raise_for_errors(clean, report)
    assert not isinstance(caught.value, InvalidAnnotationsError)


def test_single_rules_have_their_own_outcome() -> None:
    rows = manifest({"suffix": "cat<loc_9><loc_2><loc_12><loc_40>"}, {"suffix": "cat<loc_9><loc_2><loc_9><loc_40>"})
    report = check(rows, rules={"box-tiny": "fail", "box-zero-area": "warn"})[1]
    assert [(v.code, v.severity) for v in report.violations] == [
        ("box-tiny", "error"),
        ("box-zero-area", "warning"),
    ]
    report = check(rows, rules={"box-tiny": "ignore", "box-zero-area": "quarantine"})[1]
    assert report.counts == {"box-zero-area": 1}
    assert "box-tiny" not in report.rules


def test_what_was_clipped_to_nothing_is_dropped_and_the_rest_checked_again() -> None:
    row = {"suffix": f"cat{BOX}fish<loc_1001><loc_20><loc_1100><loc_400>cat{BOX}", "box_lines": "4 5 6"}
    clean, report = check(manifest(row, row | {"suffix": f"cat{BOX}", "box_lines": "9"}), on_error="repair")
    assert clean.table[["suffix", "box_lines"]].to_numpy().tolist() == [[f"cat{BOX}", "4"], [f"cat{BOX}", "9"]]
    assert report.counts == {"box-outside": 1, "box-duplicate": 1, "box-zero-area": 1}
    assert {v.code for v in report.repaired} == set(report.counts)
    assert report.errors == ()
    assert report.rows_repaired == 1
    assert "3 defects repaired in 1 sample" in report.summary_text()


def test_repair_stops_at_what_it_cannot_mend() -> None:
    clean, report = check(manifest({"suffix": f"cat {BOX}"}, {"suffix": "cat<loc_1>"}), on_error="repair")
    assert clean.table["suffix"].tolist() == [f"cat{BOX}", "cat<loc_1>"]
    with pytest.raises(InvalidAnnotationsError, match="1 location tokens") as caught:
        raise_for_errors(clean, report)
    assert "train/annotations.jsonl:2: " in str(caught.value)


def test_a_dropped_copy_does_not_become_an_unused_image() -> None:
    rows = manifest({"sha256": "a"}, {"sha256": "a"}, images={"train/z.png": {}})
    clean, report = check(rows, on_error="repair")
    assert clean.table["line"].tolist() == [1]
    assert [(v.code, v.file) for v in report.warnings] == [("image-unused", "train/z.png")]


PIECES = [
    "cat",
    " dog",
    "<loc_",
    "<loc_5>",
    "<loc_120>",
    "<loc_700>",
    "<loc_1200>",
    "<loc_-3>",
    BOX,
    OTHER,
    ">",
    "</s>",
]
suffixes = st.lists(st.sampled_from(PIECES), max_size=9).map("".join)


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.tuples(suffixes, st.booleans()), max_size=12),
    st.sampled_from(["quarantine", "repair"]),
)
def test_what_is_left_can_be_read_strictly(lines: list[tuple[str, bool]], on_error: str) -> None:
    rows = manifest(
        *(
            # Boxes of a line of their own are reported by it: here it is the row's, so that errors name rows.
            {"suffix": suffix, "box_lines": f"{line} {line}" if from_coordinates else None}
            for line, (suffix, from_coordinates) in enumerate(lines, 1)
        )
    )
    clean, report = check(rows, on_error=on_error)
    bad = {violation.line for violation in report.errors}
    for suffix, line in zip(clean.table["suffix"], clean.table["line"], strict=True):
        if line not in bad:
            read_boxes(suffix, (100, 100))
    assert on_error == "repair" or len(clean) + report.rows_quarantined == len(rows)
    assert len(clean) == len(rows) or report.rows_quarantined or report.rows_repaired


def test_a_finding_names_the_id_that_the_file_gives_the_box() -> None:
    box = "<loc_1><loc_2><loc_90><loc_40>"
    twice = manifest({"suffix": f"cat{box}cat<loc_9><loc_1><loc_2><loc_3>cat{box}", "box_lines": "7:12 7:x-1 7"})
    found = {violation.code: violation for violation in check(twice)[1].violations}
    assert found["box-inverted"].sentence.startswith("train/annotations.jsonl:7: annotation id x-1: 'cat' of ")
    assert found["box-duplicate"].sentence.endswith("the box of annotation id 12")
