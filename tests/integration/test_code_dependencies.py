"""Which files a step's cache key follows."""

from __future__ import annotations

from pathlib import Path

import pytest

from steps.code_dependencies import files_reached_from

ROOT = Path(__file__).resolve().parents[2]


def reached(step: str) -> set[str]:
    return {file.relative_to(ROOT).as_posix() for file in files_reached_from(ROOT / "steps" / f"{step}.py")}


def test_a_step_follows_what_it_calls_directly_and_not() -> None:
    files = reached("fine_tune")
    assert {"florence2/training/fit.py", "florence2/model/lora.py", "florence2/codec/answers.py"} <= files
    assert {"materializers/checkpoint.py", "materializers/folder.py", "steps/fine_tune.py"} <= files


@pytest.mark.parametrize("step", ["ingest_dataset", "validate_annotations", "split_dataset", "fine_tune"])
def test_nothing_before_the_evaluation_follows_it(step: str) -> None:
    assert not [file for file in reached(step) if file.startswith("florence2/evaluation/")]


def test_training_does_not_follow_the_rules() -> None:
    files = reached("fine_tune")
    assert "florence2/data/rules.py" not in files
    assert not [file for file in files if file.startswith("florence2/data/checks/")]


def test_an_import_inside_a_function_counts() -> None:
    assert "florence2/adapters/mlflow/pyfunc.py" in reached("register_model")


def test_a_template_counts() -> None:
    assert "florence2/evaluation/page.html" in reached("evaluate_model")


def test_ingest_follows_the_readers_and_the_generator_of_the_built_in_set() -> None:
    assert {"florence2/data/formats/jsonl.py", "florence2/data/scenes/builtin.py"} <= reached("ingest_dataset")


def test_no_step_follows_the_command_line() -> None:
    for step in (ROOT / "steps").glob("*_*.py"):
        assert not [file for file in reached(step.stem) if file.startswith("florence2/cli/")]
