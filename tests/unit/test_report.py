"""The evaluation report: round trips, the table for terminals, the HTML page."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from florence2.codec.detections import Detections
from florence2.errors import Florence2Error
from florence2.evaluation.html import render_html
from florence2.evaluation.matching import box_iou, matched
from florence2.evaluation.report import EvaluationReport, Example, ModelEvaluation, comparison_table

numbers = st.floats(allow_nan=False, allow_infinity=False)
names = st.text(max_size=8)
evaluations = st.builds(
    ModelEvaluation,
    model=names,
    metrics=st.dictionaries(names, numbers, max_size=3),
    per_class=st.dictionaries(names, st.dictionaries(names, numbers, max_size=2), max_size=2),
    counts=st.dictionaries(names, st.integers(0, 10**9), max_size=2),
    seconds=numbers,
)
sample = st.builds(Example, names, st.integers(1, 99), st.integers(1, 99), names, names, names, names)
reports = st.builds(
    EvaluationReport,
    before=evaluations,
    after=evaluations,
    examples=st.lists(sample, max_size=3).map(tuple),
    facts=st.dictionaries(names, names, max_size=3),
    html=st.text(),
)

BEFORE = ModelEvaluation("base", {"map50": 0.02, "vqa_accuracy": 0.2}, {"ring": {"ap50": 0.02, "ap": 0.01}}, {}, 3.0)
AFTER = ModelEvaluation(
    "tuned", {"map50": 0.71, "made_up": 1.5}, {"ring": {"ap50": 0.7, "ap": 0.4, "truths": 9}}, {"images": 4}, 4.0
)
RING = "ring<loc_100><loc_100><loc_500><loc_500>"


def example(prefix: str = "<OD>", target: str = RING, before: str = "", after: str = RING) -> Example:
    return Example("/home/someone/cards/test/a.png", 64, 64, prefix, target, before, after)


def page(*examples: Example) -> str:
    pictures = {"/home/someone/cards/test/a.png": Image.new("RGB", (64, 64), "#336699")}
    return render_html(BEFORE, AFTER, examples, pictures, {"data_fingerprint": "3fe1"})


@given(reports)
@settings(max_examples=40, deadline=None)
def test_round_trips(report: EvaluationReport) -> None:
    assert EvaluationReport.from_dict(report.to_dict()) == report
    with tempfile.TemporaryDirectory() as folder:
        report.save(Path(folder) / "new" / "report")
        assert EvaluationReport.load(Path(folder) / "new" / "report") == report


def test_a_folder_without_a_report_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(Florence2Error, match=r"report\.json"):
        EvaluationReport.load(tmp_path)
    EvaluationReport(BEFORE, AFTER).save(tmp_path)
    data = tmp_path / "report.json"
    content = json.loads(data.read_text())
    data.write_text(json.dumps({**content, "after": {"model": "x", "unheard_of": 1}}))
    with pytest.raises(Florence2Error, match="unheard_of"):
        EvaluationReport.load(tmp_path)
    for broken in ("[]", "{"):
        data.write_text(broken)
        with pytest.raises(Florence2Error, match=r"report\.json"):
            EvaluationReport.load(tmp_path)


def test_table_has_the_most_telling_figures_first_and_no_false_zero() -> None:
    assert comparison_table(EvaluationReport(BEFORE, AFTER)) == [
        ("map50", 0.02, 0.71),
        ("vqa_accuracy", 0.2, None),
        ("made_up", None, 1.5),
    ]


def test_page_needs_nothing_from_elsewhere() -> None:
    html = page(example(), example("<VQA>How many?", "1", "2", "one"))
    for link in re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?([^\"')\s>]+)", html):
        assert link.startswith(("#picture-", "data:image/"))
    assert "<script" not in html
    assert "@import" not in html
    assert html.count("data:image/png;base64,") == 1
    assert "prefers-color-scheme: dark" in html


def test_page_escapes_what_users_and_models_write() -> None:
    nasty = "<script>alert('x')</script>"
    html = render_html(
        ModelEvaluation(nasty, {nasty: 0.5}, {nasty: {"ap50": 0.5}}, {nasty: 1}),
        AFTER,
        [
            Example(nasty, 64, 64, "<OD>", f"{nasty}{RING}", f'" onload="x{RING}', nasty),
            Example(nasty, 64, 64, f"<VQA>{nasty}", nasty, nasty, nasty),
        ],
        {},
        {nasty: nasty},
    )
    assert "<script" not in html
    assert 'onload="' not in html


def test_page_shows_figures_boxes_and_marks() -> None:
    html = page(example(), example("<VQA>How many?", "1", "2", "one"), example("<CAPTION>", "a ring", "x", "y"))
    for text in ("0.710", "▲ +0.690", "0 of 1 found, 0 wrong", "1 of 1 found, 0 wrong", "no boxes", "data fingerprint"):
        assert text in html
    assert html.count("✓</span>") == html.count("✗</span>") == 1
    assert "test/a.png" in html
    assert "/home/someone" not in html


def test_page_stands_without_examples_and_without_figures() -> None:
    empty = ModelEvaluation("m")
    html = render_html(empty, empty, [], {}, {})
    assert "defines no figure" in html


@pytest.mark.parametrize("answer", ["", "ring<loc_1>", "<loc_1><loc_2><loc_3><loc_4>", "a<loc_9><loc_9><loc_1><loc_1>"])
def test_page_shows_answers_that_are_no_boxes(answer: str) -> None:
    assert "no boxes" in page(example(after=answer))


def test_overlap_and_matching() -> None:
    target = Detections(np.array([[0, 0, 10, 10], [0, 0, 0, 0]], dtype=np.float32), ("ring", "dot"))
    overlaps = box_iou(np.array([[0, 0, 10, 5], [20, 20, 30, 30]], dtype=np.float32), target.xyxy)
    assert overlaps.tolist() == [[0.5, 0.0], [0.0, 0.0]]
    twice = Detections(
        np.array([[0, 0, 10, 9], [0, 0, 10, 10], [0, 0, 10, 10]], dtype=np.float32), ("ring", "ring", "dot")
    )
    assert matched(twice, target).tolist() == [True, False, False]
    assert matched(Detections.empty(), target).tolist() == []
    assert matched(twice, Detections.empty()).tolist() == [False, False, False]
