"""Prompts with and without their image, and how long they are."""

from __future__ import annotations

import pytest
from PIL import Image

from florence2.codec.tasks import TASKS
from florence2.config import ModelConfig
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
    batch = encode_prompts(nano.processor, [IMAGE] * len(EVERY_TASK), EVERY_TASK)
    rows = zip(batch["input_ids"], batch["attention_mask"], strict=True)
    prompts = [ids[mask.bool()].tolist() for ids, mask in rows]
    assert tokenize_prompts(nano.processor, EVERY_TASK) == prompts
    assert len(set(map(len, prompts))) > 1


def test_a_question_does_not_depend_on_its_company(nano: Florence2) -> None:
    alone = [tokenize_prompts(nano.processor, [prefix])[0] for prefix in EVERY_TASK]
    assert tokenize_prompts(nano.processor, EVERY_TASK) == alone
    assert tokenize_prompts(nano.processor, []) == []


def test_equal_questions_share_one_list(nano: Florence2) -> None:
    """A set of a hundred thousand detections holds one question."""
    first, other, second = tokenize_prompts(nano.processor, ["<OD>", "<VQA>why?", "<OD>"])
    assert first is second
    assert first != other


def test_the_counted_prompt_is_the_encoded_one(nano: Florence2) -> None:
    batch = encode_prompts(nano.processor, [IMAGE] * 2, ["<OD>", "<VQA>what is it?"])
    counted = nano.count_prompt_tokens(["<OD>", "<VQA>what is it?"])
    assert batch["attention_mask"].sum(dim=1).tolist() == counted
