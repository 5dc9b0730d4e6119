"""The trainer of the built-in bases goes on from its state, and plans as many steps as fit into the time."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest
import torch
from transformers import Florence2ForConditionalGeneration

from pretraining.batches import Recipe, batches
from pretraining.sizes import SIZES, Size
from pretraining.trainer import Trainer, run, steps_for


@pytest.fixture(scope="module", params=sorted(SIZES))
def size(request: pytest.FixtureRequest) -> Size:
    return SIZES[request.param]


def test_pretraining_resumes_as_if_it_had_never_stopped(size: Size, tmp_path: Path) -> None:
    # Stopped between two visits of the same scenes.
    recipe = Recipe(size.name, steps=4, batch_size=1, warmup=2, visits=3)
    straight = Trainer(recipe)
    losses = [straight.advance(batch) for batch in batches(recipe, 0)]
    assert len(losses) == 4
    stopped = Trainer(recipe)
    assert [stopped.advance(batch) for batch in islice(batches(recipe, 0), 2)] == losses[:2]
    stopped.save(tmp_path / "state.safetensors")
    folder = run(recipe, tmp_path)
    resumed = Florence2ForConditionalGeneration.from_pretrained(folder, dtype=torch.bfloat16)
    for ours, theirs in zip(resumed.parameters(), straight.averaged.parameters(), strict=True):
        assert torch.equal(ours, theirs.to(torch.bfloat16))
    assert json.loads((tmp_path / "losses.jsonl").read_text().splitlines()[-1])["step"] == 4


def test_losses_after_the_last_save_are_written_once(tmp_path: Path) -> None:
    recipe = Recipe(steps=2, batch_size=1)
    stopped = Trainer(recipe)
    stopped.advance(next(batches(recipe, 0)))
    stopped.save(tmp_path / "state.safetensors")
    (tmp_path / "losses.jsonl").write_text('{"step": 1}\n{"step": 2}\n{"st')
    run(recipe, tmp_path)
    assert [json.loads(line)["step"] for line in (tmp_path / "losses.jsonl").read_text().splitlines()] == [1, 2]


@pytest.mark.parametrize("other", [Recipe(steps=5, batch_size=1), Recipe("small", steps=4, batch_size=1)])
def test_a_state_of_another_recipe_is_refused(tmp_path: Path, other: Recipe) -> None:
    Trainer(Recipe(steps=4, batch_size=1)).save(tmp_path / "state.safetensors")
    with pytest.raises(ValueError, match="another --output"):
        run(other, tmp_path)


def test_as_many_steps_are_planned_as_fit() -> None:
    assert steps_for(Recipe(batch_size=1), 1.0, "cpu", workers=0) > 10 * steps_for(
        Recipe(batch_size=1), 0.01, "cpu", workers=0
    )
