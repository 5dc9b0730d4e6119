"""The commands about data sets, as typed on a terminal.

Plain pandas evaluates the rules here: Great Expectations takes a second for each look, and that it finds the same is
a test of its own, as is the command with it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from florence2.adapters import great_expectations
from florence2.cli import app
from florence2.errors import ConfigurationError
from tests.builders import annotation, write_dataset, write_lines, write_scenes
from tests.rules import run_rules

BOX = "cat<loc_100><loc_200><loc_300><loc_400>"


@pytest.fixture(autouse=True)
def evaluate_with_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(great_expectations, "_run_rules", run_rules)


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_validate_lists_by_file_and_line_counts_and_ends_with_1(tmp_path: Path) -> None:
    lines = [
        annotation(),
        annotation("b.png", suffix="cat<loc_1><loc_2><loc_3>"),
        annotation("c.png", suffix=" " + BOX),
    ]
    data = write_dataset(
        tmp_path / "data", {"train": lines, "valid": [annotation("v.png")], "test": [annotation("t.png")]}
    )
    page = tmp_path / "page.html"
    done = run("validate", data, "--report", page, "--rare-class", 0)
    assert done.exit_code == 1
    assert "train/annotations.jsonl:2: 'cat' with <loc_1><loc_2><loc_3>: 3 location tokens" in done.output
    assert page.read_text() == "2 found"
    found = json.loads(run("validate", data, "--json", "--rare-class", 0).stdout)
    assert found["counts"] == {"location-count": 1, "class-blanks": 1}

    kept = tmp_path / "quarantine.jsonl"
    done = run("validate", data, "--on-error", "quarantine", "--quarantine", kept)
    assert done.exit_code == 0
    assert [json.loads(line)["line"] for line in kept.read_text().splitlines()] == [2]
    assert run("validate", data, "--rules", "location-count=quarantine").exit_code == 0


def test_validate_measures_answers_against_a_model_that_is_named(tmp_path: Path) -> None:
    lines = [annotation(prefix="<CAPTION>", suffix="an image of a tile " * 20)]
    data = write_dataset(tmp_path / "data", {"": lines})
    assert run("validate", data).exit_code == 0
    done = run("validate", data, "--model", "builtin:nano", "--max-target-tokens", 40)
    assert done.exit_code == 1
    assert "answer-too-long" in done.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rules", "box-outsid=warn"], "did you mean 'box-outside'"),
        (["--rules", "box-outside=mend"], "validation.rules.box-outside: "),
        (["--format", "xml"], "dataset.format: "),
        (
            ["--revision", "main"],
            "--revision main: needs a model, whose tokenizer counts the tokens of answers; give it by --model",
        ),
        (["--max-target-tokens", "40"], "--max-target-tokens 40: needs a model"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, options: list[str], message: str) -> None:
    done = run("validate", write_dataset(tmp_path / "data"), *options)
    assert isinstance(done.exception, ConfigurationError)
    assert message in str(done.exception)


def test_stats_as_table_json_and_page(tmp_path: Path) -> None:
    data = write_scenes(tmp_path / "data")
    page = tmp_path / "page.html"
    done = run("stats", data, "--html", page)
    assert done.exit_code == 0, done.output
    assert "red tile" in done.output
    assert "<!doctype html>" in page.read_text().lower()
    other = write_scenes(tmp_path / "other")
    file = other / "train" / "annotations.jsonl"
    file.write_text(file.read_text().replace("red tile", "green tile"))
    drift = json.loads(run("stats", other, "--against", data, "--json").stdout)["drift"]
    assert "green tile" in json.dumps(drift)


def test_freeze_writes_the_test_split_once(tmp_path: Path) -> None:
    data = write_scenes(tmp_path / "data")
    file = tmp_path / "test.json"
    done = run("freeze", data, file)
    assert "4 test images" in done.output
    assert len(json.loads(file.read_text())["images"]) == 4
    assert isinstance(run("freeze", data, file).exception, ConfigurationError)


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data")
    write_lines(tmp_path / "file", [])
    done = run("validate", data, "--report", tmp_path / "file" / "page.html")
    assert isinstance(done.exception, ConfigurationError)
    assert "page.html: cannot be written" in str(done.exception)
