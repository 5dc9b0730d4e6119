"""The command tune."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from florence2 import sdk
from florence2.cli import app
from florence2.config import TuningConfiguration
from florence2.sdk.tuning import TuningResult
from florence2.tuning.outcome import conclude
from tests.trials import ended, plan


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[TuningConfiguration, Path]]:
    made: list[tuple[TuningConfiguration, Path]] = []

    def tune(configuration: TuningConfiguration, output: Path) -> TuningResult:
        made.append((configuration, output))
        outcome = conclude(plan(), [ended(0, [0.4], spread=0.01), ended(1, [0.2], state="pruned")])
        return TuningResult(output, output / "recipe.yaml", output / "tuning.html", outcome)

    monkeypatch.setattr(sdk, "tune", tune)
    return made


def test_it_prints_the_trials_the_result_and_the_files(calls: list[Any]) -> None:
    result = CliRunner().invoke(app, ["tune", "my-set", "--minutes=5", "--batch-size=4", "--output=found"])
    assert result.exit_code == 0, result.output
    assert "* 0" in result.output
    assert "the default is best: none of 1 other trials has more than map50 0.400" in result.output
    assert "recipe  found/recipe.yaml" in result.output
    ((configuration, output),) = calls
    assert (configuration.search.minutes, configuration.dataset.source, output) == (5, "my-set", Path("found"))
    assert configuration.training.model_fields_set == {"batch_size"}


def test_it_writes_json_for_programs(calls: list[Any]) -> None:
    result = CliRunner().invoke(app, ["tune", "my-set", "--trials=2", "--json"])
    content = json.loads(result.output)
    assert (content["better"], content["winner"], content["recipe"]) == (False, 0, "tuning/recipe.yaml")
    assert [trial["state"] for trial in content["trials"]] == ["complete", "pruned"]
    assert "resampled" not in content["trials"][0]


def test_a_space_is_in_a_file(calls: list[Any], tmp_path: Path) -> None:
    file = tmp_path / "search.yaml"
    file.write_text("search: {trials: 4, space: {flip: [0, 0.5]}}\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["tune", "my-set", f"--config={file}"])
    assert result.exit_code == 0, result.output
    assert calls[0][0].search.space == {"flip": (0, 0.5)}
