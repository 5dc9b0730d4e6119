"""The loss: plain without settings, else equal to a slow and simple one."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from florence2.codec.locations import BINS
from florence2.config import ModelConfig, ObjectiveConfig
from florence2.model.base import load_base
from florence2.model.processing import IGNORED
from florence2.training.objective import AnswerLoss

END, FIRST, VOCABULARY = 2, 5, 5 + BINS + 3


def batch(*rows: list[int], seed: int = 0) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Return random logits, float64 so that sums can be compared, and the labels; rows are padded."""
    longest = max(map(len, rows))
    labels = torch.tensor([[*row, *[IGNORED] * (longest - len(row))] for row in rows])
    values = torch.randn(*labels.shape, VOCABULARY, generator=torch.Generator().manual_seed(seed))
    return {"logits": values.requires_grad_()}, labels


def loss_of(eos_weight: float = 1.0, location_smoothing: float = 0.0) -> AnswerLoss:
    return AnswerLoss(ObjectiveConfig(eos_weight=eos_weight, location_smoothing=location_smoothing), END, FIRST)


def naive(logits: torch.Tensor, labels: torch.Tensor, eos_weight: float, spread: float) -> torch.Tensor:
    """Add up token by token and bin by bin."""
    total, count = torch.zeros(()), 0
    for row_logits, row in zip(logits, labels.tolist(), strict=True):
        for position, target in enumerate(row):
            if target == IGNORED:
                continue
            logs = row_logits[position].log_softmax(dim=0)
            shares = {target: 1.0}
            if spread and FIRST <= target < FIRST + BINS:
                reach = max(1, round(3 * spread))
                near = [i for i in range(target - reach, target + reach + 1) if FIRST <= i < FIRST + BINS]
                shares = {i: math.exp(-(((i - target) / spread) ** 2) / 2) for i in near}
            whole = sum(shares.values())
            part = -sum((share / whole * logs[i] for i, share in shares.items()), torch.zeros(()))
            total = total + part * (eos_weight if target == END else 1.0)
            count += 1
    return total / count


ROWS = ([0, 3, FIRST, FIRST + 1, FIRST + 999, FIRST + 500, END], [0, FIRST + 998, 4, END])


@settings(max_examples=10)
@given(
    rows=st.lists(
        st.lists(st.integers(0, VOCABULARY - 1) | st.just(END), min_size=1, max_size=6), min_size=1, max_size=3
    )
)
def test_without_weight_and_spread_it_is_cross_entropy(rows: list[list[int]]) -> None:
    outputs, labels = batch(*rows)
    plain = cross_entropy(outputs["logits"].flatten(0, 1), labels.flatten(), ignore_index=IGNORED)
    torch.testing.assert_close(loss_of()(outputs, labels), plain, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("spread", [0.0, 0.2, 1.0, 3.0, 50.0])
@pytest.mark.parametrize("weight", [1.0, 0.1])
def test_loss_and_gradient_are_those_of_a_simple_loop(weight: float, spread: float) -> None:
    outputs, labels = batch(*ROWS)
    ours = loss_of(weight, spread)(outputs, labels)
    expected = naive(outputs["logits"], labels, weight, spread)
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-6)
    gradients = [torch.autograd.grad(loss, outputs["logits"], retain_graph=True)[0] for loss in (ours, expected)]
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-7)
    assert gradients[0][labels == IGNORED].abs().max() == 0


def test_the_weight_of_the_end_token_scales_its_part_only() -> None:
    outputs, labels = batch([0, 3, FIRST + 7, END])
    parts = cross_entropy(outputs["logits"][0], labels[0], reduction="none").detach()
    for weight in (1.0, 0.5, 0.01):
        expected = (parts[:3].sum() + weight * parts[3]) / 4
        torch.testing.assert_close(loss_of(weight)(outputs, labels).detach(), expected, rtol=1e-6, atol=1e-6)


def test_the_weight_of_the_end_token_alone_changes_the_loss() -> None:
    tokenizer: Any = load_base(ModelConfig(base="builtin:nano")).tokenizer
    loss = AnswerLoss.of(ObjectiveConfig(eos_weight=0.5, location_smoothing=0.0), tokenizer)
    assert loss is not None
    labels = torch.tensor([[0, tokenizer.eos_token_id]])
    logits = torch.zeros(1, 2, len(tokenizer))
    assert loss({"logits": logits}, labels).item() == pytest.approx(0.75 * math.log(len(tokenizer)), rel=1e-5)


@pytest.mark.parametrize("position", [0, 1, 500, 998, 999])
@pytest.mark.parametrize("spread", [0.3, 2.0, 40.0])
def test_spread_targets_sum_to_one_also_at_the_edges(position: int, spread: float) -> None:
    """With equal logits each target share costs the same, so that the loss is that of one whole target."""
    labels = torch.tensor([[FIRST + position]])
    logits = torch.zeros(1, 1, VOCABULARY, requires_grad=True)
    loss = loss_of(location_smoothing=spread)({"logits": logits}, labels)
    assert loss.item() == pytest.approx(math.log(VOCABULARY), rel=1e-5)
    (gradient,) = torch.autograd.grad(loss, logits)
    target = 1 / VOCABULARY - gradient[0, 0]  # what was wanted, token by token
    assert target.sum().item() == pytest.approx(1, abs=1e-5)
    assert target[:FIRST].abs().max() < 1e-6
    assert target[FIRST + BINS :].abs().max() < 1e-6
    assert int(target.argmax()) == FIRST + position


def test_a_near_location_costs_less_than_a_far_one_only_if_targets_are_spread() -> None:
    def cost(guess: int, spread: float) -> float:
        logits = torch.zeros(1, 1, VOCABULARY, requires_grad=True)
        sure = logits + 10 * torch.nn.functional.one_hot(torch.tensor(FIRST + guess), VOCABULARY)
        return loss_of(location_smoothing=spread)({"logits": sure}, torch.tensor([[FIRST + 500]])).item()

    assert cost(501, 2.0) < cost(503, 2.0) < cost(600, 2.0)
    assert cost(501, 0.0) == pytest.approx(cost(600, 0.0))


def test_the_mean_is_taken_over_the_tokens_of_the_whole_step() -> None:
    """Two halves that are accumulated, or computed by two processes, add up to the loss of the whole."""
    outputs, labels = batch(*ROWS)
    loss = loss_of(0.3, 2.0)
    tokens = int((labels != IGNORED).sum())
    halves = [loss({"logits": outputs["logits"][[row]]}, labels[[row]], torch.tensor(tokens)) for row in (0, 1)]
    torch.testing.assert_close(halves[0] + halves[1], loss(outputs, labels), rtol=1e-6, atol=1e-6)
    assert loss(outputs, labels, tokens).item() == pytest.approx(loss(outputs, labels).item())


def test_a_batch_without_locations_can_be_spread() -> None:
    outputs, labels = batch([0, 3, END])
    torch.testing.assert_close(loss_of(1.0, 2.0)(outputs, labels), loss_of()(outputs, labels))


def test_half_precision_is_computed_in_single() -> None:
    outputs, labels = batch(*ROWS)
    half = {"logits": outputs["logits"].detach().to(torch.bfloat16).requires_grad_()}
    same = {"logits": half["logits"].detach().float().requires_grad_()}
    assert loss_of(0.5, 2.0)(half, labels).dtype == torch.float32
    assert torch.equal(loss_of(0.5, 2.0)(half, labels), loss_of(0.5, 2.0)(same, labels))


def test_the_ids_come_from_the_tokenizer_and_the_plain_loss_needs_none() -> None:
    tokenizer: Any = load_base(ModelConfig(base="builtin:nano")).tokenizer
    assert AnswerLoss.of(ObjectiveConfig(eos_weight=1.0, location_smoothing=0.0), tokenizer) is None
    loss = AnswerLoss.of(ObjectiveConfig(eos_weight=0.5, location_smoothing=2.0), tokenizer)
    assert loss is not None
    ids = tokenizer("cat<loc_0><loc_1><loc_998><loc_999>", return_tensors="pt")["input_ids"]
    logits = torch.zeros(*ids.shape, len(tokenizer), requires_grad=True)
    (gradient,) = torch.autograd.grad(loss({"logits": logits}, ids) * ids.numel(), logits)
    # Four locations are spread over their neighbours: the location itself keeps no more than half.
    shares = [
        1 / len(tokenizer) - float(gradient[0, position, token]) for position, token in enumerate(ids[0].tolist())
    ]
    locations = [token in tokenizer.convert_tokens_to_ids([f"<loc_{i}>" for i in (0, 1, 998, 999)]) for token in ids[0]]
    assert sum(locations) == 4
    assert all((share < 0.5) == is_location for share, is_location in zip(shares[:-1], locations[:-1], strict=True))
    assert shares[-1] == pytest.approx(0.5, abs=1e-3)
