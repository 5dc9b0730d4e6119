"""Own tasks in a model: their tokens, their embeddings, and what remains after saving."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from florence2.codec import TASKS, task_table
from florence2.config import ModelConfig, TaskConfig
from florence2.errors import ModelError
from florence2.model import Florence2, load_base, load_folder, named_tasks, save_folder, tasks_in
from florence2.model.own_tasks import add_tasks, new_token_ids

OWN = task_table(
    {"<RECEIPT>": TaskConfig(answer="json", title="Read the receipt", new_token=True), "Read it": TaskConfig()}
)


@pytest.fixture
def nano() -> Florence2:
    return load_base(ModelConfig(base="builtin:nano"))


def embedding(florence2: Florence2) -> torch.Tensor:
    weight: torch.Tensor = florence2.model.get_input_embeddings().weight.detach()  # type: ignore[operator]
    return weight


def test_a_model_of_the_past_has_the_tasks_of_florence_2(nano: Florence2) -> None:
    assert nano.tasks is TASKS
    assert named_tasks("builtin:nano") is TASKS


def test_a_new_token_gets_a_row_of_its_own_and_the_others_stay(nano: Florence2) -> None:
    before = embedding(nano).clone()
    assert len(nano.tokenizer("<RECEIPT>")["input_ids"]) > 3
    add_tasks(nano, OWN)
    (row,) = new_token_ids(nano, OWN)
    assert row == len(before)
    assert nano.tokenizer("<RECEIPT>")["input_ids"][1:-1] == [row]
    assert torch.equal(embedding(nano)[:row], before)
    words = nano.tokenizer("Read the receipt", add_special_tokens=False)["input_ids"]
    assert torch.allclose(embedding(nano)[row], before[words].mean(dim=0))
    head = nano.model.lm_head
    assert head.weight.data_ptr() == embedding(nano).data_ptr(), "input and output are tied"
    config: Any = nano.model.config
    assert config.text_config.vocab_size == row + 1


def test_adding_the_same_tasks_twice_changes_nothing(nano: Florence2) -> None:
    add_tasks(nano, OWN)
    once = embedding(nano).clone()
    add_tasks(nano, OWN)
    assert torch.equal(embedding(nano), once)
    assert nano.tasks == OWN


def test_a_saved_model_keeps_its_tasks(nano: Florence2, tmp_path: Path) -> None:
    add_tasks(nano, OWN)
    save_folder(nano, tmp_path)
    assert named_tasks(str(tmp_path)) == OWN
    loaded = load_folder(str(tmp_path))
    assert loaded.tasks == OWN
    assert torch.equal(embedding(loaded), embedding(nano))
    assert loaded.tokenizer("<RECEIPT>")["input_ids"] == nano.tokenizer("<RECEIPT>")["input_ids"]


def test_a_damaged_record_is_named() -> None:
    with pytest.raises(ModelError, match=r"own_tasks .* is damaged"):
        tasks_in({"own_tasks": [{"token": "<A>"}]})
