"""The program that loads a version in a process of its own and queries it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import pandas as pd
import pytest

from florence2.adapters.mlflow.query_version import query_version
from florence2.promotion.serving import ServingCheck


class _Model:
    answer: Any = "cat"

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        assert rows["image"].iloc[0] == b"image"
        return pd.DataFrame({"answer": [self.answer]})


def request_for(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "a.png").write_bytes(b"image")
    return {"uri": "models:/m/3", "tracking_uri": f"sqlite:///{tmp_path}/x.db", "requests": [[f"{tmp_path}/a.png", ""]]}


def test_the_time_of_answers_and_the_memory_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow, "set_tracking_uri", lambda uri: None)
    monkeypatch.setattr(mlflow.pyfunc, "load_model", lambda uri: _Model())
    found = query_version(request_for(tmp_path))
    assert ServingCheck.model_validate_json(json.dumps(found)).failure == ""
    assert found["seconds_per_image"] >= 0
    assert found["memory_gib"] > 0.01


def test_an_answer_that_is_no_text_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow, "set_tracking_uri", lambda uri: None)
    monkeypatch.setattr(mlflow.pyfunc, "load_model", lambda uri: _Model())
    monkeypatch.setattr(_Model, "answer", None)
    with pytest.raises(ValueError, match="answered"):
        query_version(request_for(tmp_path))
