"""The rules about rows that repeat, contradict or reveal others."""

from __future__ import annotations

from tests.builders import manifest
from tests.rules import BOX, found, task


def test_repeated_and_contradicting_rows() -> None:
    same = {"sha256": "a"}
    captions = [task("<CAPTION>", text) | {"sha256": "b"} for text in ("one", "two")]
    rows = [same, same, same | {"suffix": f"dog{BOX}"}, same | {"split": ""}, *captions]
    location = "train/annotations.jsonl:1"
    assert found(manifest(*rows)) == [
        ("row-duplicate", 2, f"'<OD>' of 'train/2.png' has the same answer as in {location}"),
        ("answer-conflict", 3, f"'<OD>' of 'train/3.png' has another answer than in {location}"),
    ]


def test_a_leak_marks_the_earlier_split_only() -> None:
    rows = [{"split": split, "sha256": "a"} for split in ("train", "valid", "test", "")]
    findings = found(manifest(*rows, {"sha256": ""}, {"sha256": "", "split": "test"}))
    assert [(code, line) for code, line, _ in findings] == [("image-in-two-splits", 1), ("image-in-two-splits", 2)]
    assert findings[0][2] == "'train/1.png' is the same image as in split test, train/annotations.jsonl:3"
