"""The promotion from registry to alias: models whose faults are known, one after the other, in one registry."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.builders import write_mistaken, write_stars
from tests.integration.project import Outcome, Project

MISTAKES: dict[str, dict[str, str]] = {
    "good": {},
    "three wrong": {"red": "green", "green": "blue", "blue": "red"},
    "yellow wrong": {"yellow": "purple", "purple": "yellow"},
    "all wrong": {"red": "green", "green": "blue", "blue": "yellow", "yellow": "red"},
}


@pytest.fixture(scope="module")
def promotions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Outcome, str | None]]:
    """How each promotion of a history ended, and who was champion then."""
    root = tmp_path_factory.mktemp("promotions")
    project = Project.copy_to(root / "project")
    data = write_stars(root / "data")
    models = {name: write_mistaken(root / name / "model", mistakes) for name, mistakes in MISTAKES.items()}
    settings: dict[str, Any] = {
        "dataset": {"source": str(data)},
        "validation": {"on_error": "quarantine"},
        "model": {"base": "builtin:nano"},
        "evaluation": {"max_new_tokens": 16, "resamples": 300},
    }
    plan: list[tuple[str, list[str]]] = []

    def promote(name: str, eval_batch_size: int = 16, **policy: Any) -> None:
        evaluation = settings["evaluation"] | {"eval_batch_size": eval_batch_size}
        changes = {"evaluation": evaluation, "promotion": {"seconds_per_image": 30, **policy}}
        file = project.write_config(name, settings | changes)
        plan.append(("promote", [str(file)]))

    def register(name: str, trained_on: str = "train") -> None:
        plan.append(("register", [str(models[name]), str(models["all wrong"]), trained_on]))

    register("all wrong")
    promote("untrained")
    register("three wrong")
    promote("first")
    promote("unchanged")
    register("yellow wrong")
    promote("one-class-worse", eval_batch_size=5)
    register("good")
    promote("better")
    register("good", "test")
    promote("slow-and-leaked", seconds_per_image=1e-6)
    register("good")
    plan.append(("break", ["6"]))
    promote("unloadable")
    plan.append(("break", ["4"]))
    register("good")
    plan.append(("forget", ["7", "base_fingerprint"]))
    promote("champion-gone")
    plan.append(("hide", []))
    promote("unreachable")

    (project.root / "plan.json").write_text(json.dumps(plan))
    driver = Path(__file__).with_name("many_promotions.py")
    done = project.execute([sys.executable, str(driver), "plan.json", str(data)])
    assert done.returncode == 0, done.stdout + done.stderr
    names = [Path(arguments[0]).stem for action, arguments in plan if action == "promote"]
    return {
        name: (Outcome(status, output, _summary(project, name)), champion)
        for name, (status, output, champion) in zip(
            names, json.loads((project.root / "promotions.json").read_text()), strict=True
        )
    }


def _summary(project: Project, name: str) -> dict[str, Any]:
    file = project.root / "outputs" / name / "summary.json"
    return dict(json.loads(file.read_text())) if file.is_file() else {}


EXPECTED: dict[str, tuple[int, str, str | None, str]] = {
    "untrained": (3, "hold", None, "Gain in mAP50 over the base: 0.000 against 0.000: +0.000"),
    "first": (0, "promote", "2", "Version 2 becomes the first champion"),
    "unchanged": (0, "nothing", "2", "Version 2 is champion already."),
    "one-class-worse": (3, "hold", "2", "Worse than the champion in yellow star (-"),
    "better": (0, "promote", "4", "Version 4 becomes champion in place of version 2"),
    "slow-and-leaked": (3, "reject", "4", "It was trained on 40 of the 40 test images"),
    "unloadable": (3, "reject", "4", "there is no such folder"),
    "champion-gone": (3, "hold", "4", "Version 4 is champion but cannot be used: ModelError"),
}
"""Exit status, verdict, champion afterwards, and the reason."""


@pytest.mark.parametrize("name", EXPECTED)
def test_each_challenger_gets_its_verdict_status_and_reason(
    promotions: dict[str, tuple[Outcome, str | None]], name: str
) -> None:
    outcome, champion = promotions[name]
    status, verdict, expected_champion, why = EXPECTED[name]
    assert (outcome.status, champion) == (status, expected_champion), outcome.output
    assert outcome.summary["verdict"] == verdict
    assert why in outcome.summary["why"]
    assert "Traceback" not in outcome.output


def test_every_failed_gate_is_named(promotions: dict[str, tuple[Outcome, str | None]]) -> None:
    outcome, _ = promotions["slow-and-leaked"]
    failed = [gate["name"] for gate in outcome.summary["gates"] if gate["passed"] is False]
    assert failed == ["latency", "unseen_test", "improvement"]


def test_a_registry_that_cannot_be_reached_is_a_failure_with_a_message(
    promotions: dict[str, tuple[Outcome, str | None]],
) -> None:
    outcome, _ = promotions["unreachable"]
    assert outcome.status == 1
    assert "error: " in outcome.output
    assert "mlflow.db" in outcome.output
    assert outcome.summary == {}


def test_a_model_is_evaluated_once_whatever_it_is_compared_with(
    promotions: dict[str, tuple[Outcome, str | None]],
) -> None:
    outcome, _ = promotions["one-class-worse"]
    assert "evaluate_champion" in outcome.summary["cached_steps"]
    assert {"check_champion", "evaluate_challenger"} <= set(outcome.summary["executed_steps"])


def test_base_and_baseline_are_evaluated_once_for_all_challengers_whatever_the_batch_size(
    promotions: dict[str, tuple[Outcome, str | None]],
) -> None:
    steps = {"evaluate_base", "evaluate_baseline"}
    assert steps <= set(promotions["untrained"][0].summary["executed_steps"])
    for name in ("first", "one-class-worse", "better"):
        assert steps <= set(promotions[name][0].summary["cached_steps"]), name


def test_a_version_that_does_not_say_its_base_is_not_compared_with_it(
    promotions: dict[str, tuple[Outcome, str | None]],
) -> None:
    outcome, _ = promotions["champion-gone"]
    (gate,) = [gate for gate in outcome.summary["gates"] if gate["name"] == "better_than_base"]
    assert gate["passed"] is None
    assert gate["why"].startswith("The base: version 7 does not say which it was")


def test_the_terminal_shows_the_limit_of_each_gate(promotions: dict[str, tuple[Outcome, str | None]]) -> None:
    outcome, _ = promotions["first"]
    assert re.search(r"gate +┃ outcome +┃ value +┃ limit +┃ why", outcome.output)


def test_the_page_says_what_the_summary_says(promotions: dict[str, tuple[Outcome, str | None]]) -> None:
    outcome, _ = promotions["one-class-worse"]
    page = Path(outcome.summary["page"]).read_text()
    assert "<title>Held: version 3</title>" in page
    assert all(gate["title"] in page for gate in outcome.summary["gates"])
