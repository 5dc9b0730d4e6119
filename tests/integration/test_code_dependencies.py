"""Which files a step's cache key follows."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from zenml.utils import source_utils

from steps.code_dependencies import code_of, code_of_modules, files_reached_from

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _source_root() -> Iterator[None]:
    """ZenML takes the folder of the main module where no ``.zen`` is, and a worker of the tests has no such module."""
    source_utils.set_custom_source_root(str(ROOT))
    yield
    source_utils.set_custom_source_root(None)


def reached(step: str) -> set[str]:
    """Return the files in the cache key of a step as it is defined."""
    defined: Any = getattr(importlib.import_module(f"steps.{step}"), step)
    return set(defined.configuration.cache_policy.file_dependencies)


def test_a_step_follows_what_it_calls_directly_and_not() -> None:
    files = reached("fine_tune")
    assert {"florence2/training/fitting.py", "florence2/model/lora.py", "florence2/codec/answers.py"} <= files
    assert {"materializers/checkpoint.py", "materializers/folder.py", "steps/fine_tune.py"} <= files


def test_a_name_from_a_room_is_followed_into_the_module_that_defines_it() -> None:
    files = reached("evaluate_model")
    assert "florence2/evaluation/bootstrap.py" in files
    assert len(files) > 100, "the steps import from rooms alone: without their stubs nearly nothing is followed"


@pytest.mark.parametrize("step", ["ingest_dataset", "validate_annotations", "split_dataset", "fine_tune"])
def test_nothing_before_the_evaluation_follows_it(step: str) -> None:
    assert not [file for file in reached(step) if file.startswith("florence2/evaluation/")]


def test_training_does_not_follow_the_rules() -> None:
    files = reached("fine_tune")
    assert "florence2/datasets/checks/rules.py" not in files
    assert not [file for file in files if file.startswith("florence2/datasets/checks/")]


def test_registration_follows_the_report_but_not_how_it_was_analysed() -> None:
    files = reached("register_model")
    assert "florence2/evaluation/report.py" in files
    assert not {"florence2/evaluation/analysis/curves.py", "florence2/evaluation/metrics/answers.py"} & files


def test_an_import_inside_a_function_counts() -> None:
    assert "florence2/adapters/mlflow/pyfunc.py" in reached("register_model")


def test_a_template_counts() -> None:
    assert "florence2/reports/evaluation/page.html" in reached("evaluate_model")


def test_ingest_follows_the_readers_and_the_generator_of_the_built_in_set() -> None:
    assert {"florence2/datasets/formats/jsonl.py", "florence2/builtin/datasets.py"} <= reached("ingest_dataset")


def test_no_step_follows_the_command_line() -> None:
    for step in (ROOT / "steps").glob("*_*.py"):
        reached_files = {file.relative_to(ROOT).as_posix() for file in files_reached_from(step)}
        assert not [file for file in reached_files if file.startswith("florence2/cli/")]


def test_the_code_of_a_module_changes_with_all_that_it_imports() -> None:
    """The evaluator of the epochs is followed by a parameter of the step, only where it chooses the epoch."""
    reached = files_reached_from(ROOT / "florence2/evaluation/epoch_evaluator.py")
    files = {file.relative_to(ROOT).as_posix() for file in reached}
    assert {"florence2/evaluation/metrics/detection.py", "florence2/inference/generation.py"} <= files
    assert code_of("florence2.evaluation.epoch_evaluator") == code_of("florence2.evaluation.epoch_evaluator")
    assert code_of("florence2.evaluation.epoch_evaluator") != code_of("florence2.evaluation.metrics.detection")


def test_the_code_of_ones_own_metrics_is_theirs_and_that_of_modules_next_to_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "own_metrics/__init__.py": "from own_metrics.first import First\n",
        "own_metrics/first.py": "import json\nfrom . import words\n\nclass First: ...\n",
        "own_metrics/words.py": "def lazily():\n    import beside_own_metrics\n",
        "beside_own_metrics.py": "import florence2\n",
        "not_imported.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("own_metrics")
    modules = ["own_metrics"]
    codes = [code_of_modules(modules)]
    for name in files:
        (tmp_path / name).write_text(files[name] + "# edited\n")
        codes.append(code_of_modules(modules))
    assert len(set(codes)) == len(files), "each file counts but the one that is not imported"
    assert codes[-1] == codes[-2]
