"""A search as a dynamic pipeline: each trial is cached on its own, and a killed run repeats none that had ended."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from zenml.enums import ExecutionMode

from florence2.config import TrainingConfig, TuningConfiguration
from florence2.errors import ConfigurationError, StackError
from florence2.recipes.recipe import read_recipe
from tests.builders import write_scenes
from tests.integration.project import Project
from tests.waiting import wait_for


@pytest.fixture
def parameters(tmp_path: Path) -> dict[str, Any]:
    write_scenes(tmp_path / "set", train=16, valid=4, test=4)
    return {
        "dataset": {"source": str(tmp_path / "set")},
        "model": {"base": "builtin:nano"},
        "training": {"epochs": 1, "engine": {"loader_workers": 0}},
        "evaluation": {"max_new_tokens": 32},
        "search": {
            "trials": 3,
            "parallel": 2,
            "space": {"batch_size": [4, 8], "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True}},
        },
    }


def test_a_search_that_is_killed_twice_has_the_trials_of_one_that_is_not(
    project: Project, parameters: dict[str, Any]
) -> None:
    for step in ("map:run_trial:0", "map:run_trial_2:0"):
        kill_at(project, parameters, step)
    killed = project.run("killed", parameters, "florence_tune")
    assert killed.status == 0, killed.output
    assert {"map:run_trial:0", "map:run_trial:1"} <= set(killed.summary["cached_steps"])
    assert killed.summary["executed_steps"] == ["map:run_trial_2:0", "propose_trials_3", "conclude_search"]

    parameters["evaluation"]["resamples"] = 500  # changes no score, but the cache key of each trial
    whole = project.run("whole", parameters, "florence_tune")
    assert settings_and_scores(killed.summary) == settings_and_scores(whole.summary)

    recipe = read_recipe(str(killed.summary["recipe"])).for_family("nano")
    winner = TrainingConfig.model_validate(killed.summary["trials"][killed.summary["winner"]]["trial"]["training"])
    assert recipe.training["learning_rate"] == winner.learning_rate
    assert killed.summary["result"] in Path(killed.summary["page"]).read_text(encoding="utf-8")


def test_a_space_that_is_not_one_stops_the_search_before_anything_runs(
    project: Project, parameters: dict[str, Any]
) -> None:
    parameters["search"]["space"] = {"epochs": [1, 2]}
    outcome = project.run("wrong", parameters, "florence_tune")
    assert outcome.status == 1
    assert "error: search.space.epochs: cannot vary; known: strategy, rank" in outcome.output
    assert "Step `ingest_dataset` has started" not in outcome.output
    assert "Traceback" not in outcome.output


def test_an_orchestrator_that_must_know_all_steps_is_refused_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines import submission
    from pipelines.finetune import florence_finetune
    from pipelines.tune import florence_tune

    orchestrator = SimpleNamespace(
        name="cluster",
        flavor="kubeflow",
        supports_dynamic_pipelines=False,
        supported_execution_modes=[ExecutionMode.FAIL_FAST, ExecutionMode.STOP_ON_FAILURE],
    )
    client = SimpleNamespace(active_stack=SimpleNamespace(orchestrator=orchestrator))
    monkeypatch.setattr(submission, "Client", lambda: client)
    with pytest.raises(
        StackError, match=r"'cluster' \(kubeflow\) must know all steps.* `florence2 tune` on one machine"
    ):
        submission.fit_to_orchestrator(florence_tune)
    submission.fit_to_orchestrator(florence_finetune)
    orchestrator.supports_dynamic_pipelines = True
    submission.fit_to_orchestrator(florence_tune)


def test_files_of_this_machine_are_refused_where_the_search_starts_on_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines import submission

    here = TuningConfiguration(dataset=tmp_path)
    submission.refuse_local_files(here)
    monkeypatch.setattr(submission, "remote_folder", lambda: "s3://bucket/florence2")
    with pytest.raises(ConfigurationError, match=r"dataset.source: .* is on this machine.* `florence2 tune` here"):
        submission.refuse_local_files(here)
    submission.refuse_local_files(TuningConfiguration(dataset="s3://bucket/cards"))
    submission.refuse_local_files(TuningConfiguration())


def settings_and_scores(summary: dict[str, Any]) -> list[Any]:
    return [(trial["trial"]["params"], trial["trial"]["floors"], trial["scores"]) for trial in summary["trials"]]


def kill_at(project: Project, parameters: dict[str, Any], step: str) -> None:
    """Start a search, and kill it with all its processes when a step has started."""
    process = project.start("killed", parameters, "florence_tune")
    log = project.root / "killed.log"
    try:
        wait_for(
            lambda: f"Step `{step}` has started" in log.read_text(),
            lambda: log.read_text() if process.poll() is not None else None,
            pause_seconds=0.02,
        )
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
