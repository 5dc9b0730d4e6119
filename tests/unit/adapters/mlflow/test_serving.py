"""The infrastructure check: what a fresh process says is taken down, whatever it does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import pandas as pd
import pytest

from florence2.adapters.mlflow import query_version as ask_served
from florence2.adapters.mlflow.serving import check_serving, sample_requests
from florence2.promotion.candidates import Candidate
from florence2.promotion.serving import ServingCheck
from tests.builders import manifest

MODEL = Candidate(
    name="m", version="3", uri="models:/m/3", tracking_uri="sqlite:///x.db", content="c", test_fingerprint="t"
)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program that the fresh process runs, to be written by the test."""
    file = tmp_path / "program.py"
    monkeypatch.setattr(ask_served, "__file__", str(file))
    return file


def test_what_the_process_found_is_returned(program: Path) -> None:
    program.write_text(
        "import json, os, sys\n"
        "order = json.load(sys.stdin)\n"
        "assert order == {'uri': 'models:/m/3', 'tracking_uri': 'sqlite:///x.db', 'requests': [['a.png', '<OD>']]}\n"
        "assert not os.listdir()\n"
        "print('a library says something')\n"
        'print(\'{"load_seconds": 2.0, "seconds_per_image": 0.5, "memory_gib": 1.5}\')\n'
    )
    found = check_serving(MODEL, [("a.png", "<OD>")], 60)
    assert found == ServingCheck(load_seconds=2.0, seconds_per_image=0.5, memory_gib=1.5)


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        (
            'print(\'{"failure": "OSError: weights are gone\\\\nfrom the store"}\')',
            "OSError: weights are gone from the store",
        ),
        ("raise OSError('no such module')", "the process ended with status 1"),
        ("import os; os._exit(7)", "the process ended with status 7"),
        ("import time; time.sleep(60)", "no answer within 2 seconds"),
        ("print('no result')", "the process wrote no result but 'no result'"),
        ("pass", "the process wrote no result but ''"),
    ],
)
def test_whatever_goes_wrong_there_is_the_failure(program: Path, code: str, failure: str) -> None:
    program.write_text(code)
    seconds = 2 if "sleep" in code else 60
    assert check_serving(MODEL, [], seconds) == ServingCheck(failure=failure)


def test_the_requests_stand_for_every_task_and_leave_out_what_cannot_be_read() -> None:
    rows: list[dict[str, Any]] = [{"image": f"{i}.png"} for i in range(30)]
    rows += [{"image": "q.png", "task": "<VQA>", "prefix": "<VQA>how many?"}]
    rows += [{"image": "broken.png", "image_error": "not an image"}]
    asked = sample_requests(manifest(*rows, root="/data"))
    assert {prompt for _, prompt in asked} == {"<OD>", "<VQA>how many?"}
    assert all(image.startswith("/data/") and "broken" not in image for image, _ in asked)
    assert len(asked) == 6
    assert sample_requests(manifest()) == []


class _Model:
    answer: Any = "cat"

    def predict(self, asked: pd.DataFrame) -> pd.DataFrame:
        assert asked["image"].iloc[0] == b"image"
        return pd.DataFrame({"answer": [self.answer]})


def order(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "a.png").write_bytes(b"image")
    return {"uri": "models:/m/3", "tracking_uri": f"sqlite:///{tmp_path}/x.db", "requests": [[f"{tmp_path}/a.png", ""]]}


def test_the_program_asks_and_measures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow, "set_tracking_uri", lambda uri: None)
    monkeypatch.setattr(mlflow.pyfunc, "load_model", lambda uri: _Model())
    found = ask_served.ask(order(tmp_path))
    assert ServingCheck.model_validate_json(json.dumps(found)).failure == ""
    assert found["seconds_per_image"] >= 0
    assert found["memory_gib"] > 0.01


def test_an_answer_that_is_no_text_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow, "set_tracking_uri", lambda uri: None)
    monkeypatch.setattr(mlflow.pyfunc, "load_model", lambda uri: _Model())
    monkeypatch.setattr(_Model, "answer", None)
    with pytest.raises(ValueError, match="answered"):
        ask_served.ask(order(tmp_path))
