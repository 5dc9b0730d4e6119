"""The rules about answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from florence2.datasets.checks.views.rows import AnswerLimit
from tests.builders import manifest
from tests.rules import BOX, OTHER, found, task

BAD_ANSWERS: list[tuple[Mapping[str, Any], str, str]] = [
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
    ({"suffix": "", "box_lines": ""}, "image-without-objects", ".png' has no objects"),
]
"""Rows that break one rule each: what differs from a valid row, the code of the rule, and part of the message."""

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


def test_each_defect_is_found_alone() -> None:
    results = found(manifest(*(row for row, _, _ in BAD_ANSWERS)))
    assert [(code, line) for code, line, _ in results] == [(code, n) for n, (_, code, _) in enumerate(BAD_ANSWERS, 1)]
    for (_, _, message), (_, _, part) in zip(results, BAD_ANSWERS, strict=True):
        assert part in message


def test_good_rows_have_nothing_to_say() -> None:
    assert found(manifest(*GOOD_ROWS)) == []


def test_only_answers_with_more_tokens_than_allowed_are_too_long() -> None:
    counted: list[str] = []

    def count(texts: list[str]) -> Iterable[int]:
        counted.extend(texts)
        return [text.count("a") for text in texts]

    rows = [task("<CAPTION>", text) for text in ("a" * 28, "b" * 29, "a" * 31)]
    findings = found(manifest(*rows), AnswerLimit(30, count))
    assert [(code, line) for code, line, _ in findings] == [("answer-too-long", 3)]
    assert "31 tokens, at most 30" in findings[0][2]
    assert set(counted) == {"b" * 29, "a" * 31}
