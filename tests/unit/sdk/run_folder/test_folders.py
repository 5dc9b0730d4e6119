"""Numbered folders of runs, and with which settings a run goes on."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from florence2.config import Configuration, leaf_paths
from florence2.errors import ConfigurationError
from florence2.sdk.run_folder.folders import (
    create_numbered_folder,
    remove_unstarted,
    resumed_configuration,
    save_settings,
    unfinished_run,
)

STARTED = Configuration(dataset="cards", epochs=7, rank=4, metrics=["vqa_accuracy"])


def started(parent: Path) -> Path:
    folder = create_numbered_folder(parent)
    save_settings(STARTED, folder)
    return folder


def test_folders_are_numbered_and_never_shared(tmp_path: Path) -> None:
    (tmp_path / "runs" / "7").mkdir(parents=True)
    (tmp_path / "runs" / "notes").mkdir()
    assert [create_numbered_folder(tmp_path / "runs").name for _ in range(2)] == ["8", "9"]


def test_an_output_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    (runs / ("9" * 255)).touch()  # the next number is too long for a name, for the superuser too
    with pytest.raises(
        ConfigurationError, match=r"runs: cannot be written \(File name too long: .*000\); give another output"
    ):
        create_numbered_folder(runs)


def test_a_run_that_never_started_is_removed_and_another_is_kept(tmp_path: Path) -> None:
    never, other = started(tmp_path), started(tmp_path)
    (other / "history.jsonl").touch()
    for folder in (never, other, tmp_path / "vanished"):
        remove_unstarted(folder)
    assert list(tmp_path.iterdir()) == [other]


def test_a_run_goes_on_with_its_own_settings(tmp_path: Path) -> None:
    assert resumed_configuration(started(tmp_path), Configuration()) == STARTED


def test_what_is_given_lies_on_top(tmp_path: Path) -> None:
    config = resumed_configuration(started(tmp_path), Configuration(save_minutes=1, examples=3))
    assert config.training.epochs == 7
    assert (config.training.engine.save_minutes, config.evaluation.examples) == (1, 3)
    assert config.evaluation.metrics == ("vqa_accuracy",)


def test_the_training_of_a_run_that_has_ended_cannot_change(tmp_path: Path) -> None:
    folder = started(tmp_path)
    for checkpoint in ("checkpoints/best", "checkpoints/latest"):
        assert resumed_configuration(folder, Configuration(epochs=9)).training.epochs == 9
        (folder / checkpoint).mkdir(parents=True)
        (folder / checkpoint / "checkpoint.json").touch()
    assert resumed_configuration(folder, Configuration(epochs=7, save_minutes=1, num_beams=3)).evaluation.num_beams == 3
    with pytest.raises(ConfigurationError, match=r"its training has ended; for another epochs, rank start a new run"):
        resumed_configuration(folder, Configuration(epochs=9, rank=8, num_beams=3))


def test_the_last_run_that_did_not_end_is_found(tmp_path: Path) -> None:
    runs = [started(tmp_path) for _ in range(11)]
    (runs[10] / "report").mkdir()
    (tmp_path / "12").mkdir()  # none of ours
    assert unfinished_run(tmp_path) == runs[9]


def test_every_setting_is_written_down_and_read_by_the_pipeline_too(tmp_path: Path) -> None:
    folder = started(tmp_path)
    text = (folder / "configuration.yaml").read_text()
    assert text.startswith("# Every setting of this run. Made with florence2-finetune ")
    written = yaml.safe_load(text)
    assert list(written) == ["parameters"]
    assert Configuration(**written["parameters"]) == STARTED
    settings = {path for _, path in leaf_paths(Configuration)}
    assert all(_has(written["parameters"], path) for path in settings)


def _has(values: Any, path: tuple[str, ...]) -> bool:
    for name in path[:-1]:
        values = values[name]
    return path[-1] in values


def test_the_command_is_quoted_for_a_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "it's my project"
    home.mkdir()
    monkeypatch.chdir(home)
    folder = started(Path("my runs"))
    command = (folder / "command.txt").read_text()
    assert shlex.split(command) == [
        *("cd", str(home), "&&"),
        *("florence2", "train", "--config", "my runs/1/configuration.yaml", "--output", "my runs"),
    ]


@pytest.mark.parametrize("content", [None, "{", "[]", "parameters: 3", "parameters: {epochs: none}"])
def test_what_is_no_run_is_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "configuration.yaml").write_text(content)
    with pytest.raises(
        ConfigurationError, match=r"is not the folder of a run: configuration.yaml is missing or damaged"
    ):
        resumed_configuration(tmp_path, Configuration())
    with pytest.raises(ConfigurationError, match="no unfinished run is here"):
        unfinished_run(tmp_path / "none")
