"""Tasks of a user's own: what is refused, what prompts become, and how they are stored."""

from __future__ import annotations

import json
from typing import Any

import pytest

from florence2.codec.own_tasks import FREE_TASK, dump_tasks, joined, parse_tasks, task_table
from florence2.codec.tasks import FREE_PROMPT, TASKS, AnswerKind
from florence2.config import TaskConfig
from florence2.errors import AnswerError, ConfigurationError


def table(**tasks: Any) -> Any:
    return task_table({name.replace("_", " "): TaskConfig(**config) for name, config in tasks.items()})


def test_without_tasks_of_ones_own_it_is_the_table_of_florence_2() -> None:
    assert task_table({}) is TASKS
    assert TASKS.own == ()


def test_a_token_is_read_as_it_is_or_as_its_sentence() -> None:
    receipt = TaskConfig(answer="json")
    known = task_table({"<RECEIPT>": receipt, "<FIELD>": TaskConfig(answer="answer", sentence="What is {input}?")})
    assert known.prompt_of("<RECEIPT>") == "<RECEIPT>"
    assert known.task_of("<RECEIPT>").answer is AnswerKind.JSON
    assert known.prompt_of("<FIELD> the total ") == "What is the total?"
    with pytest.raises(AnswerError, match="takes no text after it"):
        known.prompt_of("<RECEIPT>now")
    with pytest.raises(AnswerError, match="needs a text after <FIELD>"):
        known.prompt_of("<FIELD>")
    with pytest.raises(AnswerError, match="must not hold <RECEIPT>"):
        known.prompt_of("<FIELD>of <RECEIPT>")
    assert known.prompt_of("<OD>") == "<OD>", "the processor has its sentence"


def test_a_prompt_may_be_named_by_the_sentence_it_begins_with() -> None:
    known = table(Read_the_receipt={"answer": "json"}, Find={"answer": "text", "sentence": "Find {input}"})
    assert known.token_of("Read the receipt") == "Read the receipt"
    assert known.prompt_of("Find the shop") == "Find the shop"
    assert known.token_of("Reads") == ""


def test_free_prompts_are_a_task_where_the_table_has_it() -> None:
    free = joined(TASKS, [FREE_TASK])
    assert TASKS.token_of("Which shop is it?") == ""
    assert free.split_prefix(" Which shop is it? ") == (FREE_TASK, "Which shop is it?")
    assert free.prompt_of("Which shop is it?") == "Which shop is it?"
    assert [free.token_of(text) for text in ("<OD>", "<od>what?", "", " ", "<ANY>what?")] == ["<OD>", "", "", "", ""]
    with pytest.raises(AnswerError, match="must not hold <OD>"):
        free.prompt_of("what does <OD> mean?")
    assert task_table({FREE_PROMPT: TaskConfig(answer="json")}).task_of("Read it").answer is AnswerKind.JSON


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["<OD>"], "<OD> is a task of Florence-2 itself"),
        (["<pad>"], "<pad> is a token of Florence-2"),
        (["<sep>"], "<sep> is a token of Florence-2"),
        (["</poly>"], "</poly> is a token of Florence-2"),
        (["<loc_7>"], "<loc_7> is a token of Florence-2"),
        ([" <A>"], "without blanks"),
        (["<A>", "x<A>"], "<A> is a part of x<A>"),
        (["OD"], "OD is a part of <OD>"),
        (["Read", "Read it"], "Read is a part of Read it"),
        (["My <OCR> words"], "must not hold <OCR>|part of"),
    ],
)
def test_a_name_that_could_be_taken_for_another_is_refused(names: list[str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        task_table({name: TaskConfig() for name in names})


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("<A>", TaskConfig(sentence="read", new_token=True), "a sentence that holds it"),
        ("read it", TaskConfig(new_token=True), "needs a token such as <RECEIPT>"),
        ("<A>", TaskConfig(sentence="<VQA>{input}"), "must not hold <VQA>"),
        ("<A>", TaskConfig(sentence="at <loc_1>"), "must not hold <loc_"),
        ("<ANY>", TaskConfig(sentence="read"), "read as they are"),
        ("<ANY>", TaskConfig(new_token=True), "read as they are"),
    ],
)
def test_what_the_model_reads_must_fit_the_task(name: str, config: TaskConfig, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        task_table({name: config})


def test_stored_tasks_come_back() -> None:
    known = task_table({"<A>": TaskConfig(answer="quads", metrics=("cider",)), "<B>": TaskConfig(new_token=True)})
    assert parse_tasks(json.loads(json.dumps(dump_tasks(known.own)))) == known.own
    for damaged in ([{"token": "<A>"}], [3], 3, [{"token": "<A>", "answer": "x", "title": ""}]):
        with pytest.raises(ValueError, match=r"tasks|AnswerKind"):
            parse_tasks(damaged)


def test_the_later_of_two_tasks_with_one_token_counts() -> None:
    first, second = task_table({"<A>": TaskConfig()}), task_table({"<A>": TaskConfig(answer="json")})
    assert joined(first, second.own) == second
    assert joined(TASKS, ()) is TASKS


def test_the_prompt_of_a_task_is_written_as_its_user_writes_it() -> None:
    known = task_table(
        {
            "<FIELD>": TaskConfig(sentence="What is {input}?"),
            "<RECEIPT>": TaskConfig(),
            "Find": TaskConfig(sentence="Find {input}!"),
            "<ANY>": TaskConfig(),
        }
    )
    for token in known:
        prefix = known[token].prefix_with("the shop")
        assert known.token_of(prefix) == token
        assert known.split_prefix(prefix)[1] == ("the shop" if known[token].takes_input else "")
    assert known["<ANY>"].prefix_with("the shop") == "the shop"
