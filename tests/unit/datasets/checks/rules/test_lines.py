"""The rules about annotation lines and their images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from florence2.images import ImageDefect
from tests.builders import manifest
from tests.rules import check, found, task

BAD_LINES: list[tuple[Mapping[str, Any], str, str]] = [
    ({"prefix": "cat", "task": ""}, "prefix-without-task", "starts with no task token"),
    ({"prefix": "<OD>cat"}, "prefix-text", "takes no text"),
    (task("<VQA>", "yes", "\u2003"), "prefix-text", "needs a text"),
    (task("<VQA>", "yes", "what is <OD>?"), "prefix-text", "must not hold <OD>"),
    (task("<VQA>", "yes", "\nwhat\n<s>?"), "prefix-text", "must not hold <s>"),
    ({"line_error": "not valid JSON"}, "line-invalid", "not valid JSON"),
    ({"image_error": "too-large: a lot"}, "image-too-large", ".png': a lot"),
    ({"declared_width": 20, "declared_height": 11}, "image-size-differs", "the annotations say 20 x 11"),
    ({"declared_width": 10, "declared_height": 20}, "image-size-differs", "10 x 20, width and height swapped"),
]
"""Rows that break one rule each: what differs from a valid row, the code of the rule, and part of the message."""


def test_each_defect_is_found_alone() -> None:
    results = found(manifest(*(row for row, _, _ in BAD_LINES)))
    assert [(code, line) for code, line, _ in results] == [(code, n) for n, (_, code, _) in enumerate(BAD_LINES, 1)]
    for (_, _, message), (_, _, part) in zip(results, BAD_LINES, strict=True):
        assert part in message


@pytest.mark.parametrize("defect", ImageDefect)
def test_each_defect_of_an_image_has_its_rule(defect: ImageDefect) -> None:
    assert found(manifest({"image_error": f"{defect}: the reason"})) == [
        (f"image-{defect}", 1, "'train/1.png': the reason")
    ]


def test_the_size_before_turning_is_recognised() -> None:
    row = {"declared_width": 10, "declared_height": 20}
    findings = found(manifest(row, images={"train/1.png": {"orientation": 6}}))
    assert [code for code, _, _ in findings] == ["image-size-differs", "image-exif-orientation"]
    assert "its size before EXIF orientation 6 turns it upright" in findings[0][2]


@pytest.mark.parametrize("file", ["Annotations/a.xml", "train/_annotations.coco.json", "train/a.json"])
def test_the_remedy_of_an_unreadable_line_names_no_other_format(file: str) -> None:
    _, report = check(manifest({"line_error": "not valid", "file": file}))
    assert [str(violation) for violation in report.violations] == [f"{file}:1: not valid (correct it in the file)"]


def test_unreadable_lines_break_no_other_rule() -> None:
    blank = {"image": "", "prefix": "", "suffix": "", "task": "", "sha256": "", "line_error": "not valid JSON"}
    findings = found(manifest(blank, blank, blank | {"split": "test"}))
    assert [code for code, _, _ in findings] == ["line-invalid"] * 3
