"""Rules, annotation table, report and outcome; that they find each defect is tested with Great Expectations."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest

from florence2.config import ValidationConfig
from florence2.data.annotation_table import annotation_table
from florence2.data.rules import RULES
from florence2.data.validation import ValidationReport, Violation, apply_outcome
from florence2.errors import DatasetError, InvalidAnnotationsError
from tests.builders import manifest

BOX = "<loc_1><loc_2><loc_3><loc_4>"
QUARANTINE = ValidationConfig(on_error="quarantine")
FAIL = ValidationConfig(on_error="fail")


def violation(line: int = 1, severity: str = "error") -> Violation:
    file = "train/annotations.jsonl"
    return Violation("suffix-empty", severity, file, line, "", "the suffix is empty", "write it")  # type: ignore[arg-type]


def report(*violations: Violation, rows: int = 10) -> ValidationReport:
    return ValidationReport(rows, 0, violations, ("suffix-empty",), "<html></html>")


class TestRules:
    def test_codes_are_distinct_kebab_case(self) -> None:
        codes = [rule.code for rule in RULES]
        assert len(set(codes)) == len(codes)
        assert all(re.fullmatch(r"[a-z]+(-[a-z]+)+", code) for code in codes)

    def test_every_rule_looks_at_columns_that_exist(self) -> None:
        columns = set(annotation_table(manifest({})).columns)
        for rule in RULES:
            assert {rule.column, rule.shows} <= columns
            assert rule.detail is None or rule.detail in columns

    def test_every_rule_has_a_sentence_and_a_remedy(self) -> None:
        for rule in RULES:
            assert re.fullmatch(r"[A-Z].*\.", rule.sentence)
            assert rule.remedy
            assert not rule.remedy.endswith(".")


class TestAnnotationTable:
    def test_a_good_row_has_nothing_to_say(self) -> None:
        table = annotation_table(manifest({}, {"prefix": "<VQA>who?", "task": "<VQA>", "suffix": "me"}))
        said = table.drop(columns=["file", "line", "split", "image", "prefix", "suffix", "suffix_length"])
        assert said.isna().all(axis=None)

    def test_columns_have_the_same_types_whatever_the_rows(self) -> None:
        good = annotation_table(manifest({}))
        bad = annotation_table(manifest({"suffix": "", "image_error": "missing: no such file"}, {"line_error": "x"}))
        empty = annotation_table(manifest())
        assert dict(good.dtypes) == dict(bad.dtypes) == dict(empty.dtypes)
        assert len(empty) == 0

    def test_an_unreadable_line_has_only_its_error(self) -> None:
        blank = {"image": "", "prefix": "", "suffix": "", "task": "", "sha256": "", "line_error": "not valid JSON"}
        table = annotation_table(manifest(blank, blank))
        filled = [name for name in table.columns if table[name].notna().any()]
        assert filled == ["file", "line", "split", "image", "prefix", "suffix", "line_error"]

    @pytest.mark.parametrize(
        ("suffix", "column", "text"),
        [
            (f"cat{BOX}dog<loc_1000><loc_2><loc_3><loc_4>", "location_problem", "<loc_1000> does not exist"),
            ("cat<loc_1><loc_2><loc_3>", "location_count_problem", "3 location tokens, a box takes 4"),
            ("cat<loc_9><loc_2><loc_3><loc_4>", "box_order_problem", "x_min 9 > x_max 3"),
            (BOX, "class_problem", "no class name"),
            (f"cat{BOX}dog", "leftover_problem", "'dog' has no location tokens"),
        ],
    )
    def test_defects_of_boxes(self, suffix: str, column: str, text: str) -> None:
        table = annotation_table(manifest({"suffix": suffix}))
        assert text in table[column].iloc[0]
        others = table.filter(like="_problem").drop(columns=column)
        assert others.isna().all(axis=None)

    def test_all_defects_of_an_answer_are_said(self) -> None:
        bad = "cat<loc_9><loc_2><loc_3><loc_4>dog<loc_1><loc_9><loc_3><loc_4>cow<loc_1>"
        row = annotation_table(manifest({"suffix": bad})).iloc[0]
        assert row["box_order_problem"].count(" > ") == 2
        assert "'cow'" in row["location_count_problem"]

    def test_regions_and_texts_need_only_existing_bins(self) -> None:
        eight = "word" + "<loc_5>" * 8
        table = annotation_table(
            manifest(
                {"task": "<OCR_WITH_REGION>", "prefix": "<OCR_WITH_REGION>", "suffix": eight},
                {"task": "<REGION_PROPOSAL>", "prefix": "<REGION_PROPOSAL>", "suffix": "<loc_9><loc_1><loc_3>"},
                {"task": "<CAPTION>", "prefix": "<CAPTION>", "suffix": "a <loc_1000> token"},
                {"task": "<REGION_TO_CATEGORY>", "prefix": "<REGION_TO_CATEGORY><loc_1001>", "suffix": "cat"},
            )
        )
        found = table["location_problem"].fillna("").tolist()
        assert found[:2] == ["", ""]
        assert found[2].startswith("<loc_1000> does not exist")
        assert found[3].startswith("<loc_1001> does not exist")
        assert table["location_count_problem"].isna().all()

    def test_prefixes(self) -> None:
        table = annotation_table(manifest({"prefix": "cat"}, {"prefix": "<OD>cat"}, {"prefix": "<VQA> "}, {}))
        assert table["prefix_problem"].notna().tolist() == [True, False, False, False]
        assert table["prefix_text_problem"].notna().tolist() == [False, True, True, False]

    def test_repeated_and_contradicting_rows(self) -> None:
        same = {"sha256": "a"}
        rows = [same, same, same | {"suffix": f"dog{BOX}"}, same | {"split": "test"}, {"sha256": "b"}]
        table = annotation_table(manifest(*rows))
        place = "train/annotations.jsonl:1"
        assert table["duplicate_of"].fillna("").tolist() == [
            "",
            f"'<OD>' of 'train/2.png' is answered as in {place}",
            "",
            "",
            "",
        ]
        assert table["conflict"].fillna("").tolist() == [
            "",
            "",
            f"'<OD>' of 'train/3.png' is answered otherwise than in {place}",
            "",
            "",
        ]

    def test_a_leak_marks_the_earlier_split_only(self) -> None:
        rows = [{"split": split, "sha256": "a"} for split in ("train", "valid", "test", "")]
        table = annotation_table(manifest(*rows, {"sha256": ""}, {"sha256": "", "split": "test"}))
        assert table["leak"].notna().tolist() == [True, True, False, False, False, False]
        expected = "'train/1.png' is the same picture as in split test, train/annotations.jsonl:3"
        assert table["leak"].iloc[0] == expected


class TestReport:
    def test_from_dict_inverts_to_dict(self) -> None:
        made = report(violation(1), violation(2, "warning"))
        assert ValidationReport.from_dict(json.loads(json.dumps(made.to_dict()))) == made

    def test_summary_lists_errors_first_and_counts_the_rest(self) -> None:
        text = report(violation(1, "warning"), *(violation(line) for line in range(2, 30))).summary_text(limit=3)
        assert text.splitlines() == [
            "10 rows checked by 1 rule: 28 errors, 1 warning",
            *(f"train/annotations.jsonl:{line}: the suffix is empty (write it)" for line in (2, 3, 4)),
            "... and 26 more",
        ]


class TestOutcome:
    def test_without_errors_nothing_changes(self) -> None:
        full = manifest({}, {})
        assert apply_outcome(full, report(violation(1, "warning")), FAIL) is full

    def test_fail_lists_every_line_up_to_a_limit(self) -> None:
        with pytest.raises(InvalidAnnotationsError) as caught:
            apply_outcome(manifest({}), report(*(violation(line) for line in range(1, 151))), FAIL)
        lines = str(caught.value).splitlines()
        assert "150 errors in the annotations of /data" in lines[0]
        assert "quarantine" in lines[0]
        assert lines[1].strip() == "train/annotations.jsonl:1: the suffix is empty (write it)"
        assert lines[-1].strip() == "... and 50 more"
        assert len(lines) == 102

    def test_quarantine_drops_rows_with_errors(self) -> None:
        clean = apply_outcome(
            manifest({}, {}, {}), report(violation(2), violation(2), violation(1, "warning")), QUARANTINE
        )
        assert clean.table["line"].tolist() == [1, 3]
        pd.testing.assert_index_equal(clean.table.index, pd.RangeIndex(2))

    def test_quarantine_of_all_that_trains_is_an_error(self) -> None:
        with pytest.raises(DatasetError, match="nothing to train on") as caught:
            apply_outcome(manifest({}, {"split": "test"}), report(violation(1)), QUARANTINE)
        assert not isinstance(caught.value, InvalidAnnotationsError)
