"""The pages that are made from the code are those of the code of today, and what they show is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.generator.pages import DOCS, PAGES
from docs.generator.tasks import EXAMPLES, example_prompt
from florence2.codec.tasks import TASKS, Task
from tests.builders import write_dataset
from tests.documents.terminal import Terminal


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), "run: make reference"


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.token)
def test_the_examples_are_valid_rows(task: Task, terminal: Terminal, tmp_path: Path) -> None:
    row = {"image": "a.png", "prefix": example_prompt(task), "suffix": EXAMPLES[task.answer]}
    data = write_dataset(tmp_path / "data", {"train": [row]})
    assert " 0 errors" in terminal.check(f"florence2 validate {data}", tmp_path)
