"""The rules about tasks of the user's own: answers in JSON, and prompts without a token."""

from __future__ import annotations

import numpy as np

from florence2.codec import FREE_PROMPT, AnswerKind, RepeatedNameError, parse_json
from florence2.datasets.checks.definition import Finding, rule
from florence2.datasets.checks.view import Flags
from florence2.datasets.checks.views.rows import Row, RowsView, decide
from florence2.errors import AnswerError


@rule(
    RowsView,
    "error",
    remedy='write one JSON object with names, such as {"total": "9.00"}, or set the answer of the task to text',
    example='"prefix": "<RECEIPT>", "suffix": "{\\"total\\": 9.00"',
)
def json_invalid(view: RowsView) -> Finding[Row]:
    """The answer is not one JSON object, and its task requires one."""
    return Finding(_with_problem(view, repeated=False), lambda row: _problem(row.value, repeated=False))


@rule(
    RowsView,
    "error",
    remedy="write each name once in an object; several values are a list",
    example='"prefix": "<RECEIPT>", "suffix": "{\\"total\\": \\"9.00\\", \\"total\\": \\"8.00\\"}"',
)
def json_name_repeated(view: RowsView) -> Finding[Row]:
    """An object in the answer has a name twice, of which programs keep one value or the other."""
    return Finding(_with_problem(view, repeated=True), lambda row: _problem(row.value, repeated=True))


@rule(
    RowsView,
    "note",
    remedy="nothing to do if that is right; else begin each prompt with a task token",
    example='a set in which each "prefix" is a sentence such as "Which shop is it?"',
)
def prompt_free(view: RowsView) -> Finding[Row]:
    """The prompts of the data set are sentences without a task token; the model reads them as they are."""
    free = view.has_task([FREE_PROMPT])
    first = np.zeros(len(free), dtype=bool)
    first[np.flatnonzero(free)[:1]] = True
    kind = view.tasks[FREE_PROMPT].answer.value if FREE_PROMPT in view.tasks else ""
    sentence = f"{int(free.sum())} prompts have no task token: the model reads them as they are, and answers in {kind}"
    return Finding(first, lambda _: sentence, lambda row: row["prefix"])


def _with_problem(view: RowsView, *, repeated: bool) -> Flags:
    of_json = view.has_task(view.tasks.tokens_of(AnswerKind.JSON)) & view.readable & ~view.blank_answer
    return decide(view.table["suffix"], of_json, lambda text: bool(_problem(text, repeated=repeated)))


def _problem(text: str, *, repeated: bool) -> str:
    """Say what is wrong with an answer, about repeated names or about all else; empty if nothing is."""
    try:
        parse_json(text)
    except AnswerError as exc:
        return str(exc) if isinstance(exc, RepeatedNameError) == repeated else ""
    return ""
