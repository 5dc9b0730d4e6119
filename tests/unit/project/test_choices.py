"""The settings that are chosen for a data set."""

from __future__ import annotations

from pathlib import Path

import pytest

from florence2.config import DatasetConfig, ModelConfig
from florence2.project import create_project
from florence2.project.choices import deciding_score
from florence2.project.survey import Survey, survey
from tests.unit.project.projects import CAPTION, chosen, dataset_of


def test_base_and_recipe_stay_open_and_the_file_says_what_they_are_now(tmp_path: Path) -> None:
    data = dataset_of(tmp_path, {"train": 900, "valid": 60, "test": 1})
    found = chosen(data, "auto")
    assert (found["model.base"], found["training.recipe"]) == ("auto", "auto")
    assert not [path for path in found if path.startswith("training.") and path != "training.recipe"]
    file = create_project(tmp_path / "project", str(data)).folder / "florence.yaml"
    text = " ".join(file.read_text().replace("#", " ").split())
    assert "base builtin:small: there is no GPU here" in text
    assert "recipe drawings (boxes on drawings): 900 samples" in text


@pytest.mark.parametrize(
    ("prefixes", "primary"),
    [
        (["<OD>"], "map50"),
        (["<VQA>"], "vqa_accuracy"),
        ([CAPTION], "cider"),
        (["<OD>", "<VQA>", "<VQA>"], "vqa_accuracy"),
    ],
)
def test_the_score_that_decides_is_that_of_the_task(tmp_path: Path, prefixes: list[str], primary: str) -> None:
    data = dataset_of(tmp_path, {"train": 3, "valid": 60, "test": 3}, prefixes)
    found: Survey = survey(DatasetConfig(source=str(data)), ModelConfig(base="builtin:nano"))
    assert deciding_score(found) == primary


def test_answers_have_room_for_the_longest_of_the_data(tmp_path: Path) -> None:
    data = dataset_of(tmp_path, {"train": 3, "valid": 3, "test": 3})
    assert chosen(data)["evaluation.max_new_tokens"] == 32
