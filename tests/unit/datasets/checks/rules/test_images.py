"""The rules about image files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from florence2.images.near_duplicates import group_near_identical
from tests.builders import manifest, signatures
from tests.rules import check


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
def test_how_a_file_is_stored(facts: Mapping[str, Any], code: str) -> None:
    report = check(manifest({}, {}, images={"train/1.png": facts}))[1]
    assert report.counts == ({code: 1} if code else {})
    assert [(v.file, v.line, v.location) for v in report.violations] == [("train/1.png", 0, "train/1.png")] * bool(code)
    assert all(v in report.notes for v in report.violations if v.code != "image-exif-orientation")


def test_an_unused_image() -> None:
    report = check(manifest({}, images={"train/z.png": {}}))[1]
    assert [str(v) for v in report.warnings] == [
        "train/z.png: no annotation names this image (annotate it, or remove the file)"
    ]


def test_nearly_the_same_image_in_two_splits(monkeypatch: pytest.MonkeyPatch) -> None:
    def first_letter(signatures: Sequence[str]) -> Any:
        return np.array([ord(text[0]) for text in signatures])

    monkeypatch.setattr("florence2.datasets.checks.views.images.group_near_identical", first_letter)
    kept = {"sha256": "same", "image": "train/x.png"}
    rows = [{}, {"split": "test"}, {}, {"split": "valid"}, kept, kept | {"split": "test", "image": "test/x.png"}]
    texts = {1: "aa", 2: "ab", 3: "c", 4: "ac"}
    images = {f"train/{line}.png": {"signature": text} for line, text in texts.items()}
    images |= {"train/x.png": {"signature": "x"}, "test/x.png": {"signature": "x"}}
    findings = [v for v in check(manifest(*rows, images=images))[1].violations if v.code.startswith("image-nearly")]
    assert [(v.file, v.message) for v in findings] == [
        ("train/1.png", "nearly the same image as 'train/2.png' of split test"),
        ("train/4.png", "nearly the same image as 'train/2.png' of split test"),
    ]


def test_images_are_grouped_once_however_often_rows_are_repaired(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[int] = []

    def count(signatures: Sequence[str]) -> Any:
        searched.append(len(signatures))
        return group_near_identical(signatures)

    monkeypatch.setattr("florence2.datasets.checks.views.images.group_near_identical", count)
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
    assert searched == [4]
    again = check(clean, on_error="repair", rules={"row-duplicate": "repair"})[1]
    assert searched == [4, 3]
    assert again.violations == tuple(v for v in report.violations if v.outcome != "repair")
    assert [v.file for v in again.violations if v.code == "image-nearly-in-two-splits"] == ["train/1.png"]
