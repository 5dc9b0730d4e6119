"""The rules about boxes."""

from __future__ import annotations

from pathlib import Path

from florence2.datasets.formats.annotations import Annotation, Region, to_manifest
from tests.builders import manifest, write_image
from tests.rules import BOX, OTHER, check, found

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
"""Answers that break one rule each: the answer, the code of the rule, and part of the message."""


def test_each_defect_is_found_alone() -> None:
    findings = found(manifest(*({"suffix": suffix} for suffix, _, _ in BAD_BOXES)))
    assert [(line, code) for code, line, _ in findings] == [(n, code) for n, (_, code, _) in enumerate(BAD_BOXES, 1)]
    for (_, _, message), (_, _, part) in zip(findings, BAD_BOXES, strict=True):
        assert part in message


def test_boxes_of_other_rows_and_classes_are_no_duplicates() -> None:
    near = "<loc_10><loc_20><loc_300><loc_401>"
    rows = manifest({"suffix": f"cat{BOX}dog{near}"}, {"suffix": f"cat{near}bird{OTHER}"})
    assert found(rows) == []


def test_a_box_made_from_coordinates_is_named_by_its_own_line_and_in_pixels() -> None:
    row = {"suffix": f"cat{BOX}fish<loc_300><loc_20><loc_1001><loc_400>", "line": 3, "box_lines": "7 19"}
    report = check(manifest(row | {"width": 256, "height": 256, "file": "a.xml"}))[1]
    assert str(report.violations[0]).startswith(
        "a.xml:19: 'fish' of 'train/3.png' at about x_min 76.9, y_min 5.2, x_max 256.4, y_max 102.5: "
        "x_max is about 256.4, the image has 256 x 256 pixels"
    )
    assert report.counts == {"box-outside": 1}


def test_a_nameless_box_behind_another_is_no_box_of_its_class(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", (100, 100))
    regions = (Region("cat", (1, 2, 30, 40), 5), Region("", (50, 50, 70, 70), 9))
    row = Annotation("train", "a.png", "a.xml", 1, "<OD>", regions=regions)
    findings = found(to_manifest(tmp_path, [row]))
    assert [(code, line) for code, line, _ in findings] == [("box-without-class", 9)]


def test_several_lines_of_one_file_that_are_one_line() -> None:
    row = {"suffix": f"cat{BOX}cat{BOX}", "box_lines": "1 1"}
    assert found(manifest(row))[0][2].endswith("is the same as box 1 of this answer")
    assert found(manifest(row | {"box_lines": "8 9"}))[0][1:] == (
        9,
        "'cat' of 'train/1.png' at about x_min 0.2, y_min 0.2, x_max 6, y_max 4 is the same as the box in line 8",
    )
