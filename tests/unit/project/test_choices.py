"""The settings that are chosen for a data set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from florence2.config import DatasetConfig
from florence2.project import create_project
from florence2.project.choices import deciding_score
from florence2.project.survey import Survey, survey
from tests.unit.project.projects import CAPTION, chosen, dataset_of


@pytest.mark.parametrize(
    ("train", "valid", "expected"),
    [
        (7, 2, {"training.epochs": 50, "training.batch_size": 4, "training.best_by": "loss", "training.patience": 10}),
        (900, 60, {"training.epochs": 10, "training.batch_size": 8, "training.best_by": "map50"}),
    ],
)
def test_epochs_and_the_deciding_score_follow_from_the_number_of_samples(
    tmp_path: Path, train: int, valid: int, expected: Mapping[str, Any]
) -> None:
    data = dataset_of(tmp_path, {"train": train, "valid": valid, "test": 1})
    found = chosen(data)
    assert {path: found.get(path) for path in expected} == expected
    assert ("training.patience" in found) == ("training.patience" in expected)
    text = (create_project(tmp_path / "project", str(data)).folder / "florence.yaml").read_text()
    assert ("Few samples need many epochs" in text) == ("training.patience" in expected)
    assert "in minutes" not in text, "it is not known how long it takes"


@pytest.mark.parametrize(
    ("prefixes", "best_by", "primary"),
    [
        (["<OD>"], "map50", "map50"),
        (["<VQA>"], "vqa_accuracy", "vqa_accuracy"),
        ([CAPTION], "cider", "cider"),
        (["<OD>", "<VQA>", "<VQA>"], "loss", "vqa_accuracy"),
    ],
)
def test_the_score_that_decides_is_that_of_the_task(
    tmp_path: Path, prefixes: list[str], best_by: str, primary: str
) -> None:
    data = dataset_of(tmp_path, {"train": 3, "valid": 60, "test": 3}, prefixes)
    assert chosen(data)["training.best_by"] == best_by
    found: Survey = survey(DatasetConfig(source=str(data)), "builtin:nano")
    assert deciding_score(found) == primary


def test_answers_have_room_for_the_longest_of_the_data(tmp_path: Path) -> None:
    data = dataset_of(tmp_path, {"train": 3, "valid": 3, "test": 3})
    assert chosen(data)["evaluation.max_new_tokens"] == 32
    assert chosen(data)["evaluation.eval_batch_size"] == 64
