"""The infrastructure check: the result of a fresh process is returned, whatever the process does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from florence2.adapters.mlflow import query_version
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
    monkeypatch.setattr(query_version, "__file__", str(file))
    return file


def test_the_result_of_the_process_is_returned(program: Path) -> None:
    program.write_text(
        "import json, os, sys\n"
        "request = json.load(sys.stdin)\n"
        "assert request == {'uri': 'models:/m/3', 'tracking_uri': 'sqlite:///x.db', 'requests': [['a.png', '<OD>']]}\n"
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
def test_whatever_fails_in_the_process_is_the_failure(program: Path, code: str, failure: str) -> None:
    program.write_text(code)
    seconds = 2 if "sleep" in code else 60
    assert check_serving(MODEL, [], seconds) == ServingCheck(failure=failure)


def test_the_requests_represent_every_task_and_no_unreadable_image() -> None:
    rows: list[dict[str, Any]] = [{"image": f"{i}.png"} for i in range(30)]
    rows += [{"image": "q.png", "task": "<VQA>", "prefix": "<VQA>how many?"}]
    rows += [{"image": "broken.png", "image_error": "not an image"}]
    requests = sample_requests(manifest(*rows, root="/data"))
    assert {prompt for _, prompt in requests} == {"<OD>", "<VQA>how many?"}
    assert all(image.startswith("/data/") and "broken" not in image for image, _ in requests)
    assert len(requests) == 6
    assert sample_requests(manifest()) == []
