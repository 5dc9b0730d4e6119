"""A search on this machine: a file for each trial, from which one that was killed continues."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from florence2.errors import ConfigurationError
from florence2.tuning import local_search
from florence2.tuning.local_search import search
from florence2.tuning.plan import SearchPlan
from florence2.tuning.trial import EndedTrial, Trial
from tests.trials import plan, rate_of

IDENTITY = {"data": "a", "base": "b"}
DATA: Any = None


class KilledError(Exception):
    pass


class Runner:
    """Stands for the trainings: the score follows from the settings, and some trials are killed at first."""

    def __init__(self, killed: tuple[int, ...] = ()) -> None:
        self.killed, self.ran = list(killed), list[int]()

    def __call__(self, trial: Trial, data: Any, folder: Path) -> EndedTrial:
        folder.mkdir(exist_ok=True)
        if trial.number in self.killed:
            self.killed.remove(trial.number)
            raise KilledError
        self.ran.append(trial.number)
        score = round(1 / (1 + abs(rate_of(trial.training) - 2e-3) * 1e3), 6)
        return EndedTrial(trial=trial, state="complete", scores=(score / 2, score, score, score), seconds=1.0)


def run(
    folder: Path, runner: Runner, monkeypatch: pytest.MonkeyPatch, of: SearchPlan | None = None
) -> list[EndedTrial]:
    monkeypatch.setattr(local_search, "run_trial", runner)
    while True:
        try:
            return search(folder, IDENTITY, DATA, lambda _: of or plan())[1]
        except KilledError:
            continue


def test_a_search_that_is_killed_twice_ends_with_the_trials_of_one_that_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, killed = Runner(), Runner(killed=(1, 5))
    assert run(tmp_path / "killed", killed, monkeypatch) == run(tmp_path / "whole", whole, monkeypatch)
    assert killed.ran == whole.ran == list(range(8)), "no trial that had ended ran again"


def test_an_ended_search_gives_its_result_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(tmp_path, Runner(), monkeypatch)
    runner = Runner()
    assert run(tmp_path, runner, monkeypatch, of=plan(seed=5)) == first
    assert runner.ran == [], "the plan of the folder counts"


def test_the_folder_has_a_file_for_each_trial_and_nothing_of_those_that_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path, Runner(), monkeypatch, of=plan(trials=2))
    files = sorted(file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*") if file.is_file())
    assert files == ["plan.json", "trials/0000.json", "trials/0001.json"]
    assert not (tmp_path / "running").exists()


def test_the_folder_of_another_search_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, Runner(), monkeypatch, of=plan(trials=1))
    with pytest.raises(
        ConfigurationError, match=r"folder of another search; give another --output:\n  base: b before, c now"
    ):
        search(tmp_path, {**IDENTITY, "base": "c"}, DATA, lambda _: plan())


def test_a_measurement_that_was_killed_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_search, "run_trial", Runner())
    (tmp_path / "running").mkdir()
    (tmp_path / "running" / "identity.json").write_text("{}")

    def make_plan(scratch: Path) -> SearchPlan:
        assert not scratch.exists()
        return plan(trials=1)

    search(tmp_path, IDENTITY, DATA, make_plan)
    assert json.loads((tmp_path / "plan.json").read_text())["identity"] == IDENTITY


def test_a_folder_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="give another output"):
        search(tmp_path / "file", IDENTITY, DATA, lambda _: plan())
