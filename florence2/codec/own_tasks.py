"""Tasks of a user's own: checked, joined with those of Florence-2, and stored with data and models."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import combinations
from typing import Any

from florence2.codec.tasks import FREE_PROMPT, INPUT, RESERVED, TASKS, AnswerKind, Task, TaskTable
from florence2.config import TaskConfig
from florence2.errors import ConfigurationError

__all__ = ["FREE_TASK", "dump_tasks", "joined", "parse_tasks", "task_table"]

FREE_TASK = Task(FREE_PROMPT, AnswerKind.TEXT, "Answer a prompt in one's own words", takes_input=True, sentence=INPUT)
"""The task of prompts that begin with no token, where data or configuration say nothing else about them."""

_TOKEN = re.compile(r"<[^<>\s]+>")
_PAIRED = "od ocr cap ncap dcap grounding seg region_cap region_to_desciption proposal poly"
_OF_THE_VOCABULARY = (*(f"<{slash}{word}>" for word in _PAIRED.split() for slash in ("", "/")), "<sep>", "<and>")
"""Tokens besides the locations that the vocabulary of Florence-2 has; spelt as there."""


def task_table(tasks: Mapping[str, TaskConfig]) -> TaskTable:
    """Return the tasks of Florence-2 and those of a configuration.

    Args:
        tasks: by their token, or by the sentence with which their prompts begin.

    Raises:
        ConfigurationError: a token or sentence would be taken for another, or what the model reads does not fit it.
    """
    own = [_task(name, config) for name, config in tasks.items()]
    for task in own:
        _check(task)
    _check_distinct([task.token for task in own])
    return joined(TASKS, own)


def joined(table: TaskTable, own: Iterable[Task]) -> TaskTable:
    """Return a table with more tasks; one of a token that it has replaces it."""
    by_token = {task.token: task for task in (*table.tasks, *own)}
    return TaskTable(tuple(by_token.values())) if len(by_token) > len(TASKS) else TASKS


def dump_tasks(own: Sequence[Task]) -> list[dict[str, Any]]:
    """Return tasks as JSON holds them."""
    return [asdict(task) | {"answer": task.answer.value, "metrics": list(task.metrics)} for task in own]


def parse_tasks(content: Any) -> tuple[Task, ...]:
    """Return the tasks of ``dump_tasks``.

    Raises:
        ValueError: it is not what ``dump_tasks`` returns.
    """
    try:
        tasks = [Task(**entry) for entry in content]
        return tuple(replace(task, answer=AnswerKind(task.answer), metrics=tuple(task.metrics)) for task in tasks)
    except TypeError as exc:
        raise ValueError(f"not a list of tasks: {exc}") from exc


def _task(name: str, config: TaskConfig) -> Task:
    kind = AnswerKind(config.answer)
    sentence = config.sentence or (INPUT if name == FREE_PROMPT else name)
    return Task(
        token=name,
        answer=kind,
        title=config.title or f"Answer {name}",
        takes_input=INPUT in sentence,
        reads_text=kind in (AnswerKind.JSON, AnswerKind.QUADS),
        sentence=sentence,
        metrics=config.metrics,
        new_token=config.new_token,
    )


def _check(task: Task) -> None:
    name = task.token
    if not name.strip() or name != name.strip() or not name.isprintable() or INPUT in name:
        raise ConfigurationError(
            f"tasks: {name!r} is no token or sentence: write it without blanks at its ends and without {INPUT}"
        )
    if name in TASKS:
        raise ConfigurationError(f"tasks: {name} is a task of Florence-2 itself; give yours another token")
    if name in (*RESERVED, *_OF_THE_VOCABULARY) or "<loc_" in name:
        raise ConfigurationError(f"tasks: {name} is a token of Florence-2 with a meaning; give yours another one")
    if name == FREE_PROMPT and (task.new_token or task.sentence != INPUT):
        raise ConfigurationError(
            f"tasks: {FREE_PROMPT} stands for prompts without a token, which are read as they are; leave out sentence "
            "and new_token"
        )
    if task.new_token and (not _TOKEN.fullmatch(name) or name not in task.sentence):
        raise ConfigurationError(
            f"tasks: {name}: new_token needs a token such as <RECEIPT>, and a sentence that holds it if there is one"
        )
    special = (*TASKS, *RESERVED, *_OF_THE_VOCABULARY, "<loc_")
    if stray := next((token for token in special if token in task.sentence.replace(name, "")), None):
        raise ConfigurationError(f"tasks: {name}: its sentence must not hold {stray}, which has a meaning of its own")


def _check_distinct(own: Sequence[str]) -> None:
    """Raise if one name holds another: the model, or the reader of a prompt, would take one for the other."""
    others = [*TASKS, *RESERVED, *_OF_THE_VOCABULARY]
    for first, second in (*combinations(own, 2), *((name, other) for name in own for other in others)):
        shorter, longer = sorted((first, second), key=len)
        if shorter in longer:
            raise ConfigurationError(
                f"tasks: {shorter} is a part of {longer}: one would be taken for the other; rename it"
            )
