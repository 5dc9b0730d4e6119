"""Scores of answers in words are those of the official programs, and every problem of a file is named."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from typer.testing import CliRunner, Result

from florence2 import cli
from florence2.cli.score import score
from florence2.errors import DatasetError
from florence2.evaluation.metrics.registry import SCORED_TASKS
from florence2.evaluation.scoring.answers import score_answers
from tests import ROOT
from tests.builders import write_lines

ORACLES = ROOT / "tests" / "oracles"
VQA = json.loads((ORACLES / "vqa_v2.json").read_text())["cases"]
ANLS = [case for case in json.loads((ORACLES / "anls.json").read_text())["cases"] if not case["disputed"]]


def ran(*words: str | Path) -> Result:
    return CliRunner().invoke(cli.app, ["score", *map(str, words)])


def answer_files(
    folder: Path, references: Sequence[Mapping[str, Any] | str], predictions: Sequence[Mapping[str, Any] | str]
) -> tuple[Path, Path]:
    return write_lines(folder / "truth.jsonl", references), write_lines(folder / "answers.jsonl", predictions)


def options(references: Path, predictions: Path) -> tuple[str | Path, ...]:
    return "--references", references, "--predictions", predictions


@pytest.mark.parametrize(
    ("task", "cases", "key"), [("vqa", VQA, "accuracy"), ("docvqa", ANLS, "expected")], ids=["vqa", "docvqa"]
)
def test_the_values_are_those_of_the_official_programs(
    tmp_path: Path, task: str, cases: list[dict[str, Any]], key: str
) -> None:
    references = [{"id": case["id"], "answers": case["answers"], "question": "any"} for case in cases]
    predictions = [{"id": case["id"], "prediction": case["prediction"]} for case in reversed(cases)]
    files = answer_files(tmp_path, references, predictions)
    result = ran(f"--task={task}", *options(*files), "--json", "--per-row", tmp_path / "rows.jsonl")
    assert result.exit_code == 0
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == [case["id"] for case in cases]
    assert [row["value"] for row in rows] == pytest.approx([case[key] for case in cases], abs=1e-9)
    shown = json.loads(result.stdout)
    mean = math.fsum(case[key] for case in cases) / len(cases)
    assert shown["mean"] == shown["scores"][shown["metric"]] == pytest.approx(mean, abs=1e-9)
    assert (shown["task"], shown["rows"], shown["missing"]) == (task, len(cases), 0)


@pytest.mark.parametrize("task", SCORED_TASKS)
def test_a_perfect_answer_has_the_best_score_of_every_task(tmp_path: Path, task: str) -> None:
    words = {"a": "a grey cat sleeps here", "b": "two red rings lie on wood"}
    files = answer_files(
        tmp_path,
        [{"id": own, "answers": [text, "something else"]} for own, text in words.items()],
        [{"id": own, "prediction": text} for own, text in words.items()],
    )
    scores = score_answers(task, *files)
    best = {"caption": 5.0, "ocr": 0.0}.get(task, 1.0)  # a second reference without a common word halves CIDEr
    assert list(scores.scores) == [metric.name for metric in SCORED_TASKS[task]]
    if task == "vqa":
        best = 2 / 3 / 2 / 2  # one of two people said so
        assert scores.values == {"a": pytest.approx(1 / 6), "b": pytest.approx(1 / 6)}
    else:
        assert scores.mean == pytest.approx(best)


def test_the_command_offers_every_task_of_the_list() -> None:
    annotated = get_type_hints(score)["task"]
    assert get_args(annotated) == ("od", *SCORED_TASKS)


def test_chart_answers_may_be_five_percent_off(tmp_path: Path) -> None:
    files = answer_files(
        tmp_path,
        [{"id": 1, "answers": ["100"]}, {"id": 2, "answers": ["100"]}],
        [{"id": 1, "prediction": "104"}, {"id": 2, "prediction": "106"}],
    )
    result = ran("--task=chartqa", *options(*files))
    assert result.stdout.split() == ["mean", "0.500000", "relaxed_accuracy", "0.500000", "rows", "2"]


def test_the_mean_of_an_error_rate_weighs_rows_and_the_score_characters(tmp_path: Path) -> None:
    references = [{"id": 1, "answers": ["ab"]}, {"id": 2, "answers": ["abcdefgh"]}, {"id": 3, "answers": [""]}]
    predictions = [{"id": own, "prediction": text} for own, text in ((1, "xy"), (2, "abcdefgh"), (3, ""))]
    scores = score_answers("ocr", *answer_files(tmp_path, references, predictions))
    assert scores.mean == 0.5
    assert scores.scores["character_error_rate"] == 0.2
    assert scores.values[3] is None


def test_a_mean_that_is_not_defined_is_no_zero(tmp_path: Path) -> None:
    files = answer_files(tmp_path, [{"id": 1, "answers": ["a cat"]}], [{"id": 1, "prediction": "a cat"}])
    result = ran("--task=caption", *options(*files), "--json", "--per-row", tmp_path / "rows.jsonl")
    assert json.loads(result.stdout)["mean"] is None
    assert (tmp_path / "rows.jsonl").read_text() == '{"id": 1, "value": null}\n'
    assert "mean" not in ran("--task=caption", *options(*files)).stdout


def test_a_missing_prediction_is_an_error_or_an_empty_answer(tmp_path: Path) -> None:
    files = answer_files(
        tmp_path, [{"id": 1, "answers": ["two"]}, {"id": 2, "answers": ["two"]}], [{"id": 1, "prediction": "two"}]
    )
    with pytest.raises(DatasetError, match=r"truth.jsonl:2: id 2 is not in .*answers.jsonl; .*--missing empty"):
        score_answers("docvqa", *files)
    result = ran("--task=docvqa", *options(*files), "--missing=empty")
    assert result.exit_code == 0
    assert "mean                     0.500000" in result.stdout
    assert "rows without prediction  1" in result.stdout


@pytest.mark.parametrize(
    ("references", "predictions", "message"),
    [
        ([], [], "truth.jsonl: is empty"),
        (["", ""], [], "truth.jsonl: is empty"),
        (["{"], ["{}"], "truth.jsonl:1: not valid JSON"),
        (["[]"], ["{}"], "truth.jsonl:1: not a JSON object: []"),
        ([{"id": 1, "answers": ["a"]}], ["{}"], "answers.jsonl:1: no 'id'"),
        ([{"id": 1.5, "answers": ["a"]}], [], "truth.jsonl:1: id is 1.5, not a whole number or a text"),
        ([{"id": 1, "answers": ["a"]}] * 2, [], "truth.jsonl:2: id 1 was used in line 1 already"),
        ([{"id": 1}], [], "truth.jsonl:1: no 'answers'"),
        ([{"id": 1, "answers": []}], [], "truth.jsonl:1: answers is [], not a list of texts"),
        ([{"id": 1, "answers": "a"}], [], "truth.jsonl:1: answers is 'a', not a list of texts"),
        ([{"id": 1, "answers": [2]}], [], "truth.jsonl:1: an answer is 2, not a text"),
        ([{"id": 1, "answers": ["a"]}], [{"id": 1}], "answers.jsonl:1: no 'prediction'"),
        (
            [{"id": 1, "answers": ["a"]}],
            [{"id": 1, "prediction": 2}],
            "answers.jsonl:1: prediction is 2, not a text",
        ),
        (
            [{"id": 1, "answers": ["a"]}],
            [{"id": 1, "prediction": "a"}, {"id": "1", "prediction": "a"}],
            "answers.jsonl:2: id '1' is not among the references",
        ),
        ([{"id": 1, "answers": ["a"]}], [{"id": 1, "prediction": "<s>a</s>"}], "answers.jsonl:1: prediction '<s>a"),
    ],
)
def test_the_problem_of_a_file_is_named(
    tmp_path: Path, references: list[Any], predictions: list[Any], message: str
) -> None:
    with pytest.raises(DatasetError) as raised:
        score_answers("docvqa", *answer_files(tmp_path, references, predictions))
    assert message in str(raised.value)
