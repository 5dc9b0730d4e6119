"""The section ``tasks`` in its forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from florence2.config import Configuration, TaskConfig, TasksConfig, read_sections
from florence2.config.tasks import nested_tasks
from florence2.errors import ConfigurationError

RECEIPT = {"<RECEIPT>": TaskConfig(answer="json", new_token=True)}


@pytest.mark.parametrize(
    "given",
    [
        {"tasks": {"<RECEIPT>": {"answer": "json", "new_token": True}}},
        {"tasks": {"<RECEIPT>": "json,new_token"}},
        {"tasks": {"task": {"<RECEIPT>": "json, new_token"}}},
        {"tasks": TasksConfig(task=RECEIPT)},
        {"task": ["<RECEIPT>=json,new_token"]},
    ],
)
def test_a_task_is_given_in_several_forms(given: Any) -> None:
    assert Configuration(**given).tasks.task == RECEIPT


def test_what_is_stored_is_read_again() -> None:
    config = Configuration(tasks={"Read = it": {"answer": "text", "sentence": "Read {input}"}})
    assert Configuration(**config.model_dump(mode="json")) == config


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ({"<R>": {"anser": "json"}}, r"tasks\.task\.<R>\.anser: unknown key; did you mean 'answer'"),
        ({"<R>": "jsno"}, r"tasks\.task\.<R>\.answer: .*'json'"),
        ({"<R>": "json,old"}, "only new_token may follow, not old"),
        ({"<R>": 3}, r"tasks\.task\.<R>"),
    ],
)
def test_a_wrong_entry_is_named(tasks: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Configuration(tasks=tasks)


def test_a_pair_without_a_token_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="TOKEN=json"):
        Configuration(task=["json"])


def test_a_file_may_hold_the_tasks_alone(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("tasks:\n  <RECEIPT>: {answer: json, new_token: true}\n", encoding="utf-8")
    assert Configuration(**read_sections(file, Configuration)).tasks.task == RECEIPT


def test_only_the_setting_itself_is_not_nested_again() -> None:
    assert nested_tasks({"task": {}}) == {"task": {}}
    assert nested_tasks({"task": 1, "<R>": 2}) == {"task": {"task": 1, "<R>": 2}}
    assert nested_tasks({}) == {}
    assert nested_tasks(None) is None
