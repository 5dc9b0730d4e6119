"""``tune`` trains trials, writes the recipe and the page, and continues."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from florence2.config import Configuration, TuningConfiguration
from florence2.errors import ConfigurationError
from florence2.recipes import read_recipe
from florence2.sdk.tuning import tune
from tests.builders import write_scenes

SETTINGS: dict[str, Any] = {"model": "builtin:nano", "epochs": 1, "loader_workers": 0, "max_new_tokens": 16}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_scenes(folder, train=8, valid=4, test=2)
    return folder


def test_a_search_writes_a_recipe_and_a_page_and_is_not_repeated(dataset: Path, tmp_path: Path) -> None:
    result = tune({"dataset": dataset, **SETTINGS}, tmp_path / "search", trials=2)
    assert [trial.number for trial in result.trials] == [0, 1]
    assert all(len(trial.scores) == 1 for trial in result.trials)
    recipe = read_recipe(str(result.recipe)).for_family("nano")
    assert recipe.measured == f"florence2 tune {dataset} --trials=2: {result.sentence}"
    assert result.sentence in result.page.read_text(encoding="utf-8")
    assert not result.is_better

    files = {file: file.stat().st_mtime_ns for file in (tmp_path / "search" / "trials").iterdir()}
    again = tune(TuningConfiguration(dataset=dataset, **SETTINGS, trials=2), tmp_path / "search")
    assert again.outcome == result.outcome
    assert files == {file: file.stat().st_mtime_ns for file in (tmp_path / "search" / "trials").iterdir()}
    with pytest.raises(ConfigurationError, match=r"search.trials: 2 before, 3 now"):
        tune(Configuration(dataset=dataset, **SETTINGS), tmp_path / "search", trials=3)


def test_a_wrong_space_is_reported_before_the_data_is_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"search.space.flop: cannot vary"):
        tune({"dataset": tmp_path / "nowhere", "search": {"space": {"flop": [1]}}}, tmp_path / "search")
    assert not (tmp_path / "search").exists()
