"""Prompts with and without their image, and how long they are."""

from __future__ import annotations

import pytest
from PIL import Image

from florence2.codec.tasks import TASKS
from florence2.config import ModelConfig
from florence2.errors import AnswerError
from florence2.model.base import load_base
from florence2.model.florence import Florence2, tokenize_prompts
from florence2.model.processing import encode_prompts

EVERY_TASK = [
    f"{task.token}{'what is <loc_1><loc_2><loc_30><loc_400>, and why?' * task.takes_input}" for task in TASKS.values()
]


IMAGE = Image.new("RGB", (8, 8))


@pytest.fixture(scope="module")
def nano() -> Florence2:
    return load_base(ModelConfig(base="builtin:nano"))


def test_questions_are_the_prompts_of_every_task_without_padding(nano: Florence2) -> None:
    batch = encode_prompts(nano, [IMAGE] * len(EVERY_TASK), EVERY_TASK)
    rows = zip(batch["input_ids"], batch["attention_mask"], strict=True)
    prompts = [ids[mask.bool()].tolist() for ids, mask in rows]
    assert tokenize_prompts(nano, EVERY_TASK) == prompts
    assert len(set(map(len, prompts))) > 1


def test_a_question_does_not_depend_on_its_company(nano: Florence2) -> None:
    alone = [tokenize_prompts(nano, [prefix])[0] for prefix in EVERY_TASK]
    assert tokenize_prompts(nano, EVERY_TASK) == alone
    assert tokenize_prompts(nano, []) == []


def test_equal_questions_share_one_list(nano: Florence2) -> None:
    """A set of a hundred thousand detections holds one question."""
    first, other, second = tokenize_prompts(nano, ["<OD>", "<VQA>why?", "<OD>"])
    assert first is second
    assert first != other


def test_a_prefix_that_is_none_is_refused(nano: Florence2) -> None:
    with pytest.raises(AnswerError, match=r"starts with no task token"):
        tokenize_prompts(nano, ["what is it?"])


@pytest.mark.parametrize("prefix", ["<OD> ", "<VQA> what is it?"])
def test_blanks_around_a_prompt_do_no_harm(nano: Florence2, prefix: str) -> None:
    tidy = prefix.strip().replace("> ", ">")
    assert tokenize_prompts(nano, [prefix]) == tokenize_prompts(nano, [tidy])
    ours, same = (encode_prompts(nano, [IMAGE], [text])["input_ids"] for text in (prefix, tidy))
    assert ours.tolist() == same.tolist()


def test_the_counted_prompt_is_the_encoded_one(nano: Florence2) -> None:
    batch = encode_prompts(nano, [IMAGE] * 2, ["<OD>", "<VQA>what is it?"])
    counted = nano.count_prompt_tokens(["<OD>", "<VQA>what is it?"])
    assert batch["attention_mask"].sum(dim=1).tolist() == counted


def test_a_blank_after_a_task_does_not_stop_the_count(nano: Florence2) -> None:
    assert nano.count_prompt_tokens(["<OD> "]) == nano.count_prompt_tokens(["<OD>"])
