"""The pages that are made from the code are those of the code of today, and what they show is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.generator.commands import trees
from docs.generator.configuration import configuration_page
from docs.generator.flow import STEPS
from docs.generator.pages import DOCS, PAGES
from docs.generator.tasks import EXAMPLES, example_prompt, tasks_page
from florence2.codec.tasks import TASKS, Task
from florence2.config import leaf_paths
from florence2.evaluation.metrics.registry import METRICS
from florence2.evaluation.scores import SCORES
from tests.builders import write_dataset
from tests.documents.blocks import ROOT
from tests.documents.terminal import Terminal


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), "run: make reference"


def test_every_setting_is_in_the_reference_with_its_option() -> None:
    page = configuration_page()
    for tree in trees():
        for _, path in leaf_paths(tree):
            assert f"`{'.'.join(path)}`" in page
    for option in (
        "--dataset",
        "--model",
        "--epochs",
        "--rank",
        "--gradient-checkpointing",
        "--metrics",
        "--max-pixels",
    ):
        assert f"<br>`{option}`" in page
    assert "`images.output` |" in page, "the option --output of commands is another"


def test_every_task_metric_and_score_is_in_the_reference() -> None:
    page = tasks_page()
    for name in (*TASKS, *METRICS, *SCORES):
        assert f"`{name}`" in page


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.token)
def test_the_examples_are_valid_rows(task: Task, terminal: Terminal, tmp_path: Path) -> None:
    row = {"image": "a.png", "prefix": example_prompt(task), "suffix": EXAMPLES[task.answer]}
    data = write_dataset(tmp_path / "data", {"train": [row]})
    assert " 0 errors" in terminal.check(f"florence2 validate {data}", tmp_path)


def test_every_step_of_the_image_is_one_of_the_pipelines() -> None:
    assert len(STEPS) == 9
    for step in STEPS:
        assert (ROOT / "steps" / f"{step}.py").is_file()
