"""The rules about own tasks: JSON answers by file and line, and one note about free prompts."""

from __future__ import annotations

from florence2.codec import FREE_TASK, TASKS, joined, task_table
from florence2.config import TaskConfig
from tests.builders import manifest
from tests.rules import found

RECEIPTS = task_table({"<RECEIPT>": TaskConfig(answer="json")})


def receipts(*suffixes: str) -> list[tuple[str, int, str]]:
    rows = [{"prefix": "<RECEIPT>", "task": "<RECEIPT>", "suffix": suffix} for suffix in suffixes]
    return found(manifest(*rows).with_tasks(RECEIPTS))


def test_what_is_no_object_and_what_has_a_name_twice_are_found_by_their_line() -> None:
    results = receipts('{"total": 9}', '{"total": 9', '{"total": 9, "total": 8}', "[1]", "{}", "")
    assert [(code, line) for code, line, _ in results] == [
        ("json-invalid", 2),
        ("json-name-repeated", 3),
        ("json-invalid", 4),
        ("suffix-empty", 6),
    ]
    assert "not JSON" in results[0][2]
    assert "'total' is there twice" in results[1][2]


def test_answers_of_other_tasks_need_not_be_json() -> None:
    assert found(manifest({"prefix": "<CAPTION>", "task": "<CAPTION>", "suffix": "{"})) == []


def test_free_prompts_are_noted_once() -> None:
    rows = [{"prefix": f"Which shop is in row {n}?", "suffix": "ACME"} for n in range(3)]
    results = found(manifest(*rows).with_tasks(joined(TASKS, [FREE_TASK])))
    assert [(code, line) for code, line, _ in results] == [("prompt-free", 1)]
    assert "3 prompts have no task token" in results[0][2]
