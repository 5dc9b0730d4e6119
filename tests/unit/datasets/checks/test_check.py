"""Each rule finds its defect and nothing else, and the settings decide what becomes of it.

The rules are evaluated by a few lines of pandas here; that Great Expectations finds the same stands in its own test.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from florence2.config import ValidationConfig
from florence2.datasets.checks.check import Evaluation, check_manifest
from florence2.datasets.checks.report import (
    LISTED_PER_RULE,
    QuarantinedRow,
    ValidationReport,
    Violation,
    raise_for_errors,
)
from florence2.datasets.checks.rule import NotIn, Rule
from florence2.datasets.checks.rules import RULES
from florence2.datasets.checks.view import RuleBounds, View
from florence2.datasets.formats.annotations import Annotation, Region, to_manifest
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import DatasetError, InvalidAnnotationsError
from florence2.images.near_duplicates import group_near_identical
from tests.builders import manifest, read_boxes, signatures, write_image

BOX = "<loc_10><loc_20><loc_300><loc_400>"
OTHER = "<loc_500><loc_500><loc_700><loc_700>"
SPOKEN = RuleBounds(rare_class=0)


def plain(views: Sequence[View], rules: Sequence[Rule]) -> Evaluation:
    tables = {view.name: view.table for view in views}
    broken = {}
    for rule in rules:
        column = tables[rule.view][rule.column]
        bad = column.isin(rule.check.values) if isinstance(rule.check, NotIn) else column.notna()
        broken[rule.code] = np.flatnonzero(bad.to_numpy(dtype=bool))
    return Evaluation(broken, lambda shown: f"{sum(map(len, shown.values()))} shown")


def check(
    rows: DatasetManifest, settings: RuleBounds = SPOKEN, **config: Any
) -> tuple[DatasetManifest, ValidationReport]:
    return check_manifest(rows, ValidationConfig(**config), RULES, settings, plain)


def found(rows: DatasetManifest, settings: RuleBounds = SPOKEN) -> list[tuple[str, int, str]]:
    return [(v.code, v.line, v.message) for v in check(rows, settings)[1].violations]


def task(token: str, suffix: str, text: str = "") -> dict[str, str]:
    return {"task": token, "prefix": token + text, "suffix": suffix}


# A row of its own each: the code of the only rule that it breaks, and part of the message.
BAD_ROWS: list[tuple[Mapping[str, Any], str, str]] = [
    ({"suffix": f"cat{BOX}dog<loc_1><loc_2><loc_1000><loc_40>"}, "location-unknown", "<loc_1000> does not"),
    ({"suffix": f"cat<loc_01>{BOX}"}, "location-unknown", "tokens are spelt"),
    (task("<CAPTION>", "a<loc_1000>"), "location-in-text", "<CAPTION> answers in words"),
    (task("<REGION_TO_OCR>", "a", "<loc_1001>"), "location-unknown", "<loc_1001> does not exist"),
    ({"suffix": f"<loc_{BOX}", "box_lines": "4"}, "location-unknown", "tokens are spelt"),
    ({"suffix": f"a{BOX}b<loc_1>"}, "location-count", "'b' with <loc_1>: 1 location tokens, a box takes 4"),
    (task("<OCR_WITH_REGION>", f"a{BOX}"), "location-count", "4 location tokens, a quadrilateral takes 8"),
    (task("<REGION_TO_SEGMENTATION>", "<loc_1>", BOX), "location-count", "a point takes 2"),
    (task("<REGION_PROPOSAL>", "<loc_1><loc_2>"), "location-count", "a box takes 4"),
    (task("<REGION_PROPOSAL>", "a cat"), "location-missing", "'a cat' has no location tokens"),
    (task("<VQA>", f"cat{BOX}", "where?"), "location-in-text", "<VQA> answers in words"),
    ({"suffix": f"cat{BOX}dog"}, "text-without-box", "'dog' has no location tokens"),
    (task("<OCR_WITH_REGION>", f"a{BOX}{BOX}b"), "text-without-box", "'b' has no"),
    (task("<CAPTION>", "a</s>b"), "token-reserved", "</s>"),
    ({"suffix": "\x1c\u00a0"}, "suffix-empty", "The suffix is empty: '\\x1c\\xa0'"),
    ({"prefix": "cat", "task": ""}, "prefix-without-task", "starts with no task token"),
    ({"prefix": "<OD>cat"}, "prefix-text", "takes no text"),
    (task("<VQA>", "yes", "\u2003"), "prefix-text", "needs a text"),
    (task("<VQA>", "yes", "what is <OD>?"), "prefix-text", "must not hold <OD>"),
    (task("<VQA>", "yes", "\nwhat\n<s>?"), "prefix-text", "must not hold <s>"),
    ({"line_error": "not valid JSON"}, "line-invalid", "not valid JSON"),
    ({"image_error": "too-large: a lot"}, "image-too-large", ".png': a lot"),
    ({"declared_width": 20, "declared_height": 11}, "image-size-differs", "the annotations say 20 x 11"),
    ({"declared_width": 10, "declared_height": 20}, "image-size-differs", "10 x 20, width and height swapped"),
    ({"suffix": "", "box_lines": ""}, "image-without-objects", ".png' has no objects"),
]
BAD_BOXES: list[tuple[str, str, str]] = [
    ("cat<loc_9><loc_2><loc_3><loc_40>", "box-inverted", "x_min 9 > x_max 3"),
    ("cat<loc_1><loc_9><loc_30><loc_4>", "box-inverted", "y_min 9 > y_max 4"),
    ("cat<loc_9><loc_2><loc_9><loc_40>", "box-zero-area", "one of the 1000 bins"),
    ("cat<loc_9><loc_2><loc_12><loc_40>", "box-tiny", "a side of 3 of 1000 bins"),
    (BOX, "box-without-class", f"no class name before {BOX}"),
    (f"cat{BOX}dog{BOX}cat{BOX}", "box-duplicate", "is the same as box 1 of this answer"),
    (f"cat{BOX}{OTHER}{BOX}", "box-duplicate", "is the same as box 1 of this answer"),
    (f"cat{OTHER}cat{BOX}cat<loc_10><loc_20><loc_300><loc_401>", "box-near-duplicate", "the same as box 2"),
]
GOOD_ROWS: list[Mapping[str, Any]] = [
    {"prefix": "<OD> "},
    {},
    task("<VQA>", "yes", "Is it so?"),
    task("<VQA>", "yes", "\u00bfqu\u00e9?"),
    task("<OCR_WITH_REGION>", "word" + BOX + OTHER),
    task("<REGION_PROPOSAL>", BOX + OTHER),
    task("<REGION_TO_CATEGORY>", f"cat{BOX}", BOX),
    task("<REFERRING_EXPRESSION_SEGMENTATION>", BOX + "<loc_1><loc_2>", "cat"),
    {"declared_width": 20, "declared_height": 10},
    {"suffix": f"\u72d7{BOX}9 of clubs{OTHER}"},
]


class TestRows:
    def test_each_defect_is_found_alone(self) -> None:
        said = found(manifest(*(row for row, _, _ in BAD_ROWS)))
        assert [(line, code) for code, line, _ in said] == [(n, code) for n, (_, code, _) in enumerate(BAD_ROWS, 1)]
        for (_, _, message), (_, _, part) in zip(said, BAD_ROWS, strict=True):
            assert part in message

    def test_good_rows_have_nothing_to_say(self) -> None:
        assert found(manifest(*GOOD_ROWS)) == []

    def test_the_size_before_turning_is_recognised(self) -> None:
        row = {"declared_width": 10, "declared_height": 20}
        said = found(manifest(row, images={"train/1.png": {"orientation": 6}}))
        assert [code for code, _, _ in said] == ["image-size-differs", "image-exif-orientation"]
        assert "its size before EXIF orientation 6 turns it upright" in said[0][2]

    def test_only_answers_with_more_tokens_than_allowed_are_too_long(self) -> None:
        asked: list[str] = []

        def count(texts: list[str]) -> Iterable[int]:
            asked.extend(texts)
            return [text.count("a") for text in texts]

        rows = [task("<CAPTION>", text) for text in ("a" * 28, "b" * 29, "a" * 31)]
        said = found(manifest(*rows), SPOKEN._replace(max_target_tokens=30, count_tokens=count))
        assert [(code, line) for code, line, _ in said] == [("answer-too-long", 3)]
        assert "31 tokens, at most 30" in said[0][2]
        assert set(asked) == {"b" * 29, "a" * 31}

    def test_repeated_and_contradicting_rows(self) -> None:
        same = {"sha256": "a"}
        captions = [task("<CAPTION>", text) | {"sha256": "b"} for text in ("one", "two")]
        rows = [same, same, same | {"suffix": f"dog{BOX}"}, same | {"split": ""}, *captions]
        place = "train/annotations.jsonl:1"
        assert found(manifest(*rows)) == [
            ("row-duplicate", 2, f"'<OD>' of 'train/2.png' is answered as in {place}"),
            ("answer-conflict", 3, f"'<OD>' of 'train/3.png' is answered otherwise than in {place}"),
        ]

    def test_a_leak_marks_the_earlier_split_only(self) -> None:
        rows = [{"split": split, "sha256": "a"} for split in ("train", "valid", "test", "")]
        said = found(manifest(*rows, {"sha256": ""}, {"sha256": "", "split": "test"}))
        assert [(code, line) for code, line, _ in said] == [("image-in-two-splits", 1), ("image-in-two-splits", 2)]
        assert said[0][2] == "'train/1.png' is the same image as in split test, train/annotations.jsonl:3"

    def test_unreadable_lines_are_compared_with_nothing(self) -> None:
        blank = {"image": "", "prefix": "", "suffix": "", "task": "", "sha256": "", "line_error": "not valid JSON"}
        said = found(manifest(blank, blank, blank | {"split": "test"}))
        assert [code for code, _, _ in said] == ["line-invalid"] * 3


class TestBoxes:
    def test_each_defect_is_found_alone(self) -> None:
        said = found(manifest(*({"suffix": suffix} for suffix, _, _ in BAD_BOXES)))
        assert [(line, code) for code, line, _ in said] == [(n, code) for n, (_, code, _) in enumerate(BAD_BOXES, 1)]
        for (_, _, message), (_, _, part) in zip(said, BAD_BOXES, strict=True):
            assert part in message

    def test_boxes_of_other_rows_and_classes_are_no_duplicates(self) -> None:
        near = "<loc_10><loc_20><loc_300><loc_401>"
        rows = manifest({"suffix": f"cat{BOX}dog{near}"}, {"suffix": f"cat{near}bird{OTHER}"})
        assert found(rows) == []

    def test_a_box_made_from_coordinates_is_named_by_its_own_line_and_in_pixels(self) -> None:
        row = {"suffix": f"cat{BOX}fish<loc_300><loc_20><loc_1001><loc_400>", "line": 3, "box_lines": "7 19"}
        report = check(manifest(row | {"width": 256, "height": 256, "file": "a.xml"}))[1]
        assert str(report.violations[0]).startswith(
            "a.xml:19: 'fish' of 'train/3.png' at about x_min 76.9, y_min 5.2, x_max 256.4, y_max 102.5: "
            "x_max is about 256.4, the image has 256 x 256 pixels"
        )
        assert report.counts == {"box-outside": 1}

    def test_a_nameless_box_behind_another_is_no_box_of_its_class(self, tmp_path: Path) -> None:
        write_image(tmp_path / "a.png", (100, 100))
        regions = (Region("cat", (1, 2, 30, 40), 5), Region("", (50, 50, 70, 70), 9))
        row = Annotation("train", "a.png", "a.xml", 1, "<OD>", regions=regions)
        said = found(to_manifest(tmp_path, [row]))
        assert [(code, line) for code, line, _ in said] == [("box-without-class", 9)]

    def test_several_lines_of_one_file_that_are_one_line(self) -> None:
        row = {"suffix": f"cat{BOX}cat{BOX}", "box_lines": "1 1"}
        assert found(manifest(row))[0][2].endswith("is the same as box 1 of this answer")
        assert found(manifest(row | {"box_lines": "8 9"}))[0][1:] == (
            9,
            "'cat' of 'train/1.png' at about x_min 0.2, y_min 0.2, x_max 6, y_max 4 is the same as the box in line 8",
        )


class TestClasses:
    def classes(self, *names: str, settings: RuleBounds = SPOKEN, **row: Any) -> list[tuple[str, int, str]]:
        return found(manifest(*({"suffix": f"{name}{BOX}"} | row for name in names)), settings)

    def test_stray_blanks_are_told_once_for_each_spelling(self) -> None:
        said = self.classes("red car", " red car", "red  car", "red\u00a0car", " red car")
        assert [(code, line) for code, line, _ in said] == [
            ("class-blanks", 2),
            ("class-blanks", 3),
            ("class-blanks", 4),
        ]
        assert said[0][2] == "' red car' of 2 boxes, first here, should be 'red car'"

    def test_the_rarer_of_two_cases_is_told(self) -> None:
        assert [(code, line) for code, line, _ in self.classes("Cat", "cat", "cat", "dog")] == [("class-case", 1)]
        assert self.classes("Cat", "cat")[0][1] == 2

    def test_typing_errors(self) -> None:
        pairs = [("platelts", "platelets"), ("Trafficlight", "traffic light"), ("hammmer", "hammer")]
        rare, frequent = zip(*pairs, strict=True)
        said = self.classes(*rare, *frequent * 20)
        assert [(code, line) for code, line, _ in said] == [("class-typo", line) for line in (1, 2, 3)]
        assert said[1][2] == "'Trafficlight', first here, is nearly the frequent 'traffic light'"

    def test_names_that_count_or_are_short_are_no_typing_errors(self) -> None:
        pairs = [
            ("type 1", "type 2"),
            ("class10", "class1"),
            ("group A", "group B"),
            ("dog", "dig"),
            ("a mat", "a cat"),
        ]
        rare, frequent = zip(*pairs, strict=True)
        assert self.classes(*rare, *frequent * 20) == []

    def test_nearly_equal_names_that_are_both_frequent_are_two_classes(self) -> None:
        assert self.classes(*["glass"] * 7, *["grass"] * 30) == []

    def test_how_much_more_frequent_the_right_name_is_can_be_set(self) -> None:
        names = ["platelts", *["platelets"] * 15]
        assert [(code, line) for code, line, _ in self.classes(*names)] == [("class-typo", 1)]
        assert self.classes(*names, settings=SPOKEN._replace(typo_ratio=16)) == []
        assert self.classes(*names[:5]) == [], "four to one"

    def test_phrases_are_no_classes(self) -> None:
        for token in ({"task": "<DENSE_REGION_CAPTION>"}, task("<OPEN_VOCABULARY_DETECTION>", "", "cars")):
            row = {"prefix": token["task"]} | {name: value for name, value in token.items() if name != "suffix"}
            assert self.classes("a car", "A car", "a cat", settings=SPOKEN._replace(rare_class=5), **row) == []

    def test_rare_classes_and_those_in_the_test_alone(self) -> None:
        rows = [{"suffix": f"cat{BOX}"}] * 3 + [{"suffix": f"dog{BOX}"}, {"suffix": f"cow{BOX}", "split": "test"}]
        said = found(manifest(*rows), SPOKEN._replace(rare_class=3))
        assert [(code, line) for code, line, _ in said] == [("class-rare", 4), ("class-test-only", 5)]


class TestImagesAndSplits:
    @pytest.mark.parametrize(
        ("facts", "code"),
        [
            ({"mode": "L"}, "image-greyscale"),
            ({"mode": "RGBA"}, "image-alpha"),
            ({"mode": "P+transparency"}, "image-alpha"),
            ({"mode": "CMYK"}, "image-cmyk"),
            ({"mode": "I;16"}, "image-16-bit"),
            ({"orientation": 6}, "image-exif-orientation"),
            ({"mode": "P"}, ""),
            ({"orientation": 1}, ""),
        ],
    )
    def test_how_a_file_is_stored(self, facts: Mapping[str, Any], code: str) -> None:
        report = check(manifest({}, {}, images={"train/1.png": facts}))[1]
        assert report.counts == ({code: 1} if code else {})
        assert [(v.file, v.line, v.place) for v in report.violations] == [("train/1.png", 0, "train/1.png")] * bool(
            code
        )
        assert all(v in report.notes for v in report.violations if v.code != "image-exif-orientation")

    def test_an_unused_image(self) -> None:
        report = check(manifest({}, images={"train/z.png": {}}))[1]
        assert [str(v) for v in report.warnings] == [
            "train/z.png: no annotation names this image (annotate it, or remove the file)"
        ]

    def test_nearly_the_same_image_in_two_splits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def first_letter(signatures: Sequence[str]) -> Any:
            return np.array([ord(text[0]) for text in signatures])

        monkeypatch.setattr("florence2.datasets.checks.images.group_near_identical", first_letter)
        kept = {"sha256": "same", "image": "train/x.png"}
        rows = [{}, {"split": "test"}, {}, {"split": "valid"}, kept, kept | {"split": "test", "image": "test/x.png"}]
        texts = {1: "aa", 2: "ab", 3: "c", 4: "ac"}
        images = {f"train/{line}.png": {"signature": text} for line, text in texts.items()}
        images |= {"train/x.png": {"signature": "x"}, "test/x.png": {"signature": "x"}}
        said = [v for v in check(manifest(*rows, images=images))[1].violations if v.code.startswith("image-nearly")]
        assert [(v.file, v.message) for v in said] == [
            ("train/1.png", "nearly the same image as 'train/2.png' of split test"),
            ("train/4.png", "nearly the same image as 'train/2.png' of split test"),
        ]

    def test_images_are_grouped_once_however_often_rows_are_mended(self, monkeypatch: pytest.MonkeyPatch) -> None:
        looks: list[int] = []

        def count(signatures: Sequence[str]) -> Any:
            looks.append(len(signatures))
            return group_near_identical(signatures)

        monkeypatch.setattr("florence2.datasets.checks.images.group_near_identical", count)
        one, other = signatures(2)
        # Clipped, the second row repeats the first, of the same image in another file; the fourth is like them.
        low, clipped = "<loc_-5><loc_2><loc_30><loc_40>", "<loc_0><loc_2><loc_30><loc_40>"
        rows = manifest(
            {"sha256": "a", "suffix": f"cat{clipped}"},
            {"sha256": "a", "suffix": f"cat{low}", "box_lines": "2"},
            {},
            {"split": "test"},
            images={f"train/{line}.png": {"signature": other if line == 3 else one} for line in (1, 2, 3, 4)},
        )
        clean, report = check(rows, on_error="repair", rules={"row-duplicate": "repair"})
        assert clean.table["line"].tolist() == [1, 3, 4]
        assert looks == [4]
        again = check(clean, on_error="repair", rules={"row-duplicate": "repair"})[1]
        assert looks == [4, 3]
        assert again.violations == tuple(v for v in report.violations if v.outcome != "repair")
        assert [v.file for v in again.violations if v.code == "image-nearly-in-two-splits"] == ["train/1.png"]

    def test_empty_splits(self) -> None:
        assert found(manifest({}, splits=["train", "valid"])) == [("split-empty", 0, "the split has no annotation")]
        assert found(manifest({"split": "test"}, splits=["train"]))[-1][0] == "train-empty"
        assert found(manifest({"split": ""}, splits=["train"])) == []


class TestOutcome:
    def test_nothing_found_leaves_the_manifest_as_it_is(self) -> None:
        rows = manifest({}, {})
        clean, report = check(rows)
        assert clean is rows
        assert report.violations == ()
        raise_for_errors(clean, report)

    def test_fail_lists_a_hundred_lines_and_counts_all(self) -> None:
        clean, report = check(manifest(*({"suffix": ""} for _ in range(LISTED_PER_RULE + 50))))
        assert report.counts == {"suffix-empty": LISTED_PER_RULE + 50}
        assert len(report.violations) == LISTED_PER_RULE
        with pytest.raises(InvalidAnnotationsError) as caught:
            raise_for_errors(clean, report)
        lines = str(caught.value).splitlines()
        assert "1050 errors in the annotations of /data" in lines[0]
        assert "quarantine" in lines[0]
        assert lines[1].strip().startswith("train/annotations.jsonl:1: The suffix is empty")
        assert lines[-1].strip().startswith("... and 950 more; florence2 validate counts all and lists up to 1000 of ")
        assert len(lines) == 102

    def test_quarantine_leaves_rows_out_and_keeps_them(self) -> None:
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

    def test_quarantine_by_image_and_by_class_reaches_their_rows(self) -> None:
        rows = [{"image": "x.png"}, {"image": "x.png"} | task("<VQA>", "a", "b"), {"suffix": f"Cat{BOX}"}, {}, {}]
        rules = {"image-greyscale": "quarantine", "class-case": "quarantine"}
        clean, report = check(manifest(*rows, images={"x.png": {"mode": "L"}}), rules=rules)
        assert clean.table["line"].tolist() == [4, 5]
        assert [row.codes for row in report.quarantine] == [("image-greyscale",)] * 2 + [("class-case",)]

    def test_rows_of_one_place_are_told_apart(self) -> None:
        rows = manifest({"line": 1, "image": "a.png"}, {"line": 1, "image": "b.png", "suffix": ""})
        assert check(rows, on_error="quarantine")[0].table["image"].tolist() == ["a.png"]

    def test_quarantine_of_all_that_trains_is_an_error(self) -> None:
        clean, report = check(manifest({"suffix": ""}, {"split": "test"}), on_error="quarantine")
        with pytest.raises(DatasetError, match="nothing to train on") as caught:
            raise_for_errors(clean, report)
        assert not isinstance(caught.value, InvalidAnnotationsError)

    def test_single_rules_have_their_own_outcome(self) -> None:
        rows = manifest({"suffix": "cat<loc_9><loc_2><loc_12><loc_40>"}, {"suffix": "cat<loc_9><loc_2><loc_9><loc_40>"})
        report = check(rows, rules={"box-tiny": "fail", "box-zero-area": "warn"})[1]
        assert [(v.code, v.severity) for v in report.violations] == [
            ("box-tiny", "error"),
            ("box-zero-area", "warning"),
        ]
        report = check(rows, rules={"box-tiny": "ignore", "box-zero-area": "quarantine"})[1]
        assert report.counts == {"box-zero-area": 1}
        assert "box-tiny" not in report.rules

    def test_what_was_clipped_to_nothing_is_dropped_and_the_rest_checked_again(self) -> None:
        row = {"suffix": f"cat{BOX}fish<loc_1001><loc_20><loc_1100><loc_400>cat{BOX}", "box_lines": "4 5 6"}
        clean, report = check(manifest(row, row | {"suffix": f"cat{BOX}", "box_lines": "9"}), on_error="repair")
        assert clean.table[["suffix", "box_lines"]].to_numpy().tolist() == [[f"cat{BOX}", "4"], [f"cat{BOX}", "9"]]
        assert report.counts == {"box-outside": 1, "box-duplicate": 1, "box-zero-area": 1}
        assert {v.code for v in report.repaired} == set(report.counts)
        assert report.errors == ()
        assert report.rows_repaired == 1
        assert "3 defects mended in 1 row" in report.summary_text()

    def test_repair_stops_at_what_it_cannot_mend(self) -> None:
        clean, report = check(manifest({"suffix": f"cat {BOX}"}, {"suffix": "cat<loc_1>"}), on_error="repair")
        assert clean.table["suffix"].tolist() == [f"cat{BOX}", "cat<loc_1>"]
        with pytest.raises(InvalidAnnotationsError, match="1 location tokens") as caught:
            raise_for_errors(clean, report)
        assert "train/annotations.jsonl:2: " in str(caught.value)

    def test_a_dropped_copy_does_not_become_an_unused_image(self) -> None:
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
            # Boxes of a line of their own are told by it: here it is the row's, so that errors name rows.
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


class TestReport:
    def made(self) -> ValidationReport:
        rows = manifest({"suffix": ""}, {"suffix": "cat <loc_1><loc_2><loc_90><loc_40>"}, {}, images={"z.png": {}})
        return check(rows, on_error="quarantine", rules={"class-blanks": "repair"})[1]

    def test_from_dict_inverts_to_dict(self) -> None:
        report = self.made()
        assert len(report.violations) == 3
        assert report.quarantine
        assert ValidationReport.from_dict(json.loads(json.dumps(report.to_dict()))) == report

    def test_to_dict_says_how_many_rows_are_left_out(self) -> None:
        assert self.made().to_dict()["rows_quarantined"] == 1

    def test_summary_lists_errors_first_and_counts_the_rest(self) -> None:
        text = self.made().summary_text(limit=1)
        assert text.splitlines() == [
            f"3 rows checked by {len(RULES)} rules: 1 error, 1 warning; 1 defect mended in 1 row; 1 row quarantined",
            "train/annotations.jsonl:1: The suffix is empty: '' (write the answer, or remove the line)",
            "... and 1 more; florence2 validate counts all and lists up to 1000 of each rule (--limit)",
        ]

    def test_names_give_no_orders_to_the_terminal(self) -> None:
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

    def test_a_violation_of_a_file_has_no_line(self) -> None:
        violation = Violation("image-cmyk", "note", "warn", "a.png", 0, "CMYK", "CMYK is converted", "nothing")
        assert str(violation) == "a.png: CMYK is converted (nothing)"


def test_a_message_of_a_megabyte_is_cut_where_it_is_shown() -> None:
    violation = Violation("x", "error", "fail", "a.jsonl", 3, "v", "y" * 2**20, "shorten it")
    assert str(violation) == f"a.jsonl:3: {'y' * 1000}... (shorten it)"
    assert len(violation.message) == 2**20
