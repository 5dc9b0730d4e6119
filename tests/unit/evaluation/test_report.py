"""The evaluation report: round trips, and the tables for terminals."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from florence2.codec.detections import Detections
from florence2.errors import Florence2Error
from florence2.evaluation.analysis.analyse import Analysis
from florence2.evaluation.analysis.breakdown import BoxGroup
from florence2.evaluation.analysis.calibration import Calibration, CalibrationBin
from florence2.evaluation.analysis.confusion import Confusion, Mistake
from florence2.evaluation.analysis.curves import PrecisionRecall
from florence2.evaluation.analysis.questions import QuestionGroup, Questions
from florence2.evaluation.analysis.validity import Validity
from florence2.evaluation.bootstrap import Comparison, Interval
from florence2.evaluation.examples import Box, Example, ExampleAnswer
from florence2.evaluation.matching import NO_TRUTH, truth_of
from florence2.evaluation.report import EvaluationReport, ModelEvaluation, comparison_table, public_name

numbers = st.floats(allow_nan=False, allow_infinity=False)
counts = st.integers(0, 10**9)
names = st.text(max_size=8)
curve = st.lists(numbers, max_size=3).map(tuple)
intervals = st.builds(Interval, numbers, numbers, numbers)
bins = st.builds(CalibrationBin, numbers, numbers, counts, numbers, numbers)
analyses = st.builds(
    Analysis,
    validity=st.builds(Validity, *[counts] * 9),
    curves=st.none() | st.builds(PrecisionRecall, curve, st.dictionaries(names, curve, max_size=2)),
    confusion=st.none()
    | st.builds(
        Confusion,
        st.lists(names, max_size=2).map(tuple),
        st.lists(names, max_size=2).map(tuple),
        st.lists(st.lists(counts, max_size=2).map(tuple), max_size=2).map(tuple),
        st.lists(st.builds(Mistake, names, names, counts), max_size=2).map(tuple),
    ),
    calibration=st.none() | st.builds(Calibration, st.lists(bins, max_size=2).map(tuple), numbers),
    sizes=st.lists(st.builds(BoxGroup, names, *[counts] * 5), max_size=2).map(tuple),
    questions=st.none()
    | st.builds(Questions, names, *[st.lists(st.builds(QuestionGroup, names, counts, numbers)).map(tuple)] * 2),
)
evaluations = st.builds(
    ModelEvaluation,
    model=names,
    metrics=st.dictionaries(names, numbers, max_size=3),
    per_class=st.dictionaries(names, st.dictionaries(names, numbers, max_size=2), max_size=2),
    counts=st.dictionaries(names, counts, max_size=2),
    seconds=numbers,
    intervals=st.dictionaries(names, intervals, max_size=2),
    analysis=st.none() | analyses,
)
boxes = st.lists(st.builds(Box, names, st.tuples(*[numbers] * 4), st.booleans(), st.none() | numbers), max_size=2).map(
    tuple
)
answers = st.builds(ExampleAnswer, names, st.none() | numbers, boxes, st.booleans())
sample = st.builds(Example, names, counts, counts, names, names, names, st.none() | boxes, answers, st.none() | answers)
samples = st.lists(sample, max_size=2).map(tuple)
reports = st.builds(
    EvaluationReport,
    before=evaluations,
    after=evaluations,
    comparison=st.dictionaries(names, st.builds(Comparison, numbers, intervals, numbers), max_size=2),
    examples=samples,
    worst=samples,
    best=samples,
    facts=st.dictionaries(names, names, max_size=3),
    html=st.text(),
)

BEFORE = ModelEvaluation("base", {"map50": 0.02, "vqa_accuracy": 0.2}, {"ring": {"ap50": 0.02, "ap": 0.01}}, {}, 3.0)
AFTER = ModelEvaluation(
    "tuned", {"map50": 0.71, "made_up": 1.5}, {"ring": {"ap50": 0.7, "ap": 0.4, "truths": 9}}, {"images": 4}, 4.0
)


@given(reports)
@settings(max_examples=40)
def test_round_trips(report: EvaluationReport) -> None:
    assert EvaluationReport.from_dict(report.to_dict()) == report
    with tempfile.TemporaryDirectory() as folder:
        report.save(Path(folder) / "new" / "report")
        assert EvaluationReport.load(Path(folder) / "new" / "report") == report


EARLIER = """{"before": {"model": "base", "metrics": {"map50": 0.02}, "per_class": {}, "counts": {"images": 4},
"seconds": 2.0, "intervals": {}, "analysis": null},
"after": {"model": "tuned", "metrics": {"map50": 0.71}, "per_class": {"ring": {"ap50": 0.71, "ap": 0.355}},
"counts": {"images": 4, "annotations": 4}, "seconds": 2.0,
"intervals": {"map50": {"low": 0.6, "high": 0.8, "level": 0.95}}, "analysis": {
  "validity": {"answers": 4, "invalid": 0, "cut": 0, "malformed": 0, "empty": 0, "boxes": 4, "unknown_names": 0,
    "unscored": 0, "without_truth": 0},
  "curves": {"overall": [1.0], "by_class": {"dot": [1.0]}},
  "confusion": {"rows": ["dot", "(background)"], "columns": ["dot", "(background)"], "counts": [[1, 0], [0, 0]],
    "mistakes": [{"truth": "dot", "prediction": "ring", "count": 1}]},
  "calibration": {"bins": [{"low": 0.6, "high": 0.7, "boxes": 2, "confidence": 0.6, "right": 0.5}], "error": 0.1},
  "sizes": [{"name": "small", "images": 2, "truths": 4, "found": 3, "predictions": 4, "right": 3}],
  "crowding": [{"name": "2 boxes", "images": 2, "truths": 4, "found": 3, "predictions": 4, "right": 3}],
  "questions": {"score": "vqa_accuracy", "by_answer": [{"name": "number", "questions": 2, "value": 0.5}],
    "by_opening": [{"name": "how many", "questions": 2, "value": 0.5}]}}},
"comparison": {"map50": {"difference": 0.69, "interval": {"low": 0.5, "high": 0.8, "level": 0.95},
  "probability_better": 0.97}},
"examples": [{"image": "test/a.png", "width": 64, "height": 64, "prefix": "<OD>", "target": "ring", "score": "F1",
  "truth": [{"name": "ring", "xyxy": [5.0, 5.0, 30.0, 30.0], "right": true, "confidence": null}],
  "after": {"text": "as written", "value": 1.0, "boxes": [], "cut": false}, "before": null}],
"worst": [], "best": [], "facts": {"data": "3fe1"}}"""
"""report.json as earlier versions of this library wrote it."""


def test_a_report_of_an_earlier_version_is_read_and_written_with_the_same_keys(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(EARLIER)
    (tmp_path / "report.html").touch()
    report = EvaluationReport.load(tmp_path)
    assert report.after.metrics == {"map50": 0.71}
    assert report.task_tokens == ["<OD>"]
    expected = json.loads(EARLIER) | {"html": ""}
    for model in ("before", "after"):
        expected[model] |= {"declared": [], "baseline": None}  # keys of later versions
    expected["advice"] = ""
    for example in (*expected["examples"], *expected["worst"], *expected["best"]):
        example["own_task"] = None
    expected["after"]["analysis"]["validity"] |= {"unseen": 0, "unseen_names": []}
    assert report.to_dict() == expected


def test_a_folder_without_a_report_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(Florence2Error, match=r"report\.json"):
        EvaluationReport.load(tmp_path)
    EvaluationReport(BEFORE, AFTER).save(tmp_path)
    data = tmp_path / "report.json"
    content = json.loads(data.read_text())
    for after in ({"model": "x", "unheard_of": 1}, {"model": "x", "intervals": {"map": {"low": 0}}}):
        data.write_text(json.dumps({**content, "after": after}))
        with pytest.raises(Florence2Error, match=r"another version: after\.(unheard_of|intervals\.map\.high)"):
            EvaluationReport.load(tmp_path)
    for broken in ("[]", "{"):
        data.write_text(broken)
        with pytest.raises(Florence2Error, match=r"report\.json"):
            EvaluationReport.load(tmp_path)


def test_table_has_the_most_important_scores_first_and_no_false_zero() -> None:
    assert comparison_table(EvaluationReport(BEFORE, AFTER)) == [
        ("map50", 0.02, 0.71),
        ("vqa_accuracy", 0.2, None),
        ("made_up", None, 1.5),
    ]


@pytest.mark.parametrize(
    ("model", "public"),
    [
        ("builtin:nano", "builtin:nano"),
        ("florence-community/Florence-2-base-ft", "florence-community/Florence-2-base-ft"),
        ("/gone/home/someone/runs/1", "runs/1"),
        ("/", ""),
    ],
)
def test_the_public_name_of_a_model_has_no_path_of_the_machine(model: str, public: str) -> None:
    assert public_name(model) == public


def test_a_folder_here_is_named_by_its_last_two_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "runs" / "1").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "runs" / "1")
    assert public_name(".") == public_name(str(tmp_path / "runs" / "1")) == "runs/1"


def test_matching() -> None:
    target = Detections(np.array([[0, 0, 10, 10], [0, 0, 0, 0]], dtype=np.float32), ("ring", "dot"))
    twice = Detections(
        np.array([[0, 0, 10, 9], [0, 0, 10, 10], [0, 0, 10, 10]], dtype=np.float32), ("ring", "ring", "dot")
    )
    assert truth_of(twice, target).tolist() == [0, NO_TRUTH, NO_TRUTH]
    sure = Detections(twice.xyxy, twice.class_name, np.array([0.5, 0.9, 0.9], dtype=np.float32))
    assert truth_of(sure, target).tolist() == [NO_TRUTH, 0, NO_TRUTH]
    assert truth_of(Detections.empty(), target).tolist() == []
    assert truth_of(twice, Detections.empty()).tolist() == [NO_TRUTH] * 3
