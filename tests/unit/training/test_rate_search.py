"""Short trainings choose the learning rate: their cost is counted before, and none of them is repeated."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from florence2.config import Configuration
from florence2.config.training import TrainingConfig
from florence2.datasets.formats import read_dataset
from florence2.datasets.manifest import DatasetManifest
from florence2.training.rate_choice import RateChoice
from florence2.training.rate_search import _HIGHER, choose_learning_rate, descend, plan_rate_search, read_rate_choice
from florence2.training.short_training import ShortTrainings
from tests.builders import write_scenes

BASE = Configuration(base="builtin:nano").model


class KilledError(Exception):
    pass


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> DatasetManifest:
    return read_dataset(write_scenes(tmp_path_factory.mktemp("scenes"), train=5, valid=2, test=2))


def recipe(**settings: Any) -> TrainingConfig:
    return Configuration(**{"learning_rate": "auto", "epochs": 60, "batch_size": 2, "rank": 4, **settings}).training


@pytest.mark.parametrize(
    ("losses", "tried", "best"),
    [
        ({-2: 3.0, -1: 2.0, 0: 1.0, 1: 2.0}, {-2, -1, 0, 1}, 0),
        ({-1: 3.0, 0: 2.0, 1: 1.0, 2: 1.5}, {-1, 0, 1, 2}, 1),
        ({-3: 4.0, -2: 1.0, -1: 2.0, 0: 3.0}, {-3, -2, -1, 0}, -2),
        ({-3: 1.0, -2: 2.0, -1: 3.0, 0: 4.0}, {-3, -2, -1, 0}, -3),
        ({-1: 5.0, 0: 4.0, 1: 3.0, 2: 2.0, 3: 1.0}, {-1, 0, 1, 2, 3}, 3),
        ({-2: 2.0, -1: math.inf, 0: math.inf, -3: 3.0}, {-3, -2, -1, 0}, -2),
        ({-2: 3.0, -1: 2.0, 0: 1.0, 1: math.inf}, {-2, -1, 0, 1}, 0),
        ({-2: 1.0, -1: 0.96, 0: 1.0, 1: 0.96}, {-2, -1, 0, 1}, 0),
        ({-1: 1.0, 0: 1.0, 1: 0.9, 2: 0.87}, {-1, 0, 1, 2}, 1),
        # Rates at which nothing is learnt: their losses are in no order.
        ({-3: 6.0, -2: 7.1, -1: 6.7, 0: 8.1}, {-3, -2, -1, 0}, -3),
        ({-3: 6.5, -2: 6.0, -1: 7.1, 0: 6.7, 1: 8.1}, {-3, -2, -1, 0, 1}, -2),
    ],
)
def test_the_search_descends_from_the_default_to_where_the_loss_is_lowest(
    losses: dict[int, float], tried: set[int], best: int
) -> None:
    at, found = descend(losses.__getitem__)
    assert (at, found) == (best, {position: losses[position] for position in tried})


@pytest.mark.parametrize("batch_size", [1, 4, 16])
@pytest.mark.parametrize("rows", [100, 3_000, 500_000])
@pytest.mark.parametrize("valid", [10, 40, 10_000])
def test_it_costs_a_quarter_of_the_training_at_most(rows: int, valid: int, batch_size: int) -> None:
    training = recipe(epochs=20, batch_size=batch_size)
    plan = plan_rate_search(rows, valid, training)
    if plan is None:
        assert 20 * rows / batch_size < 300
        return
    steps = plan.trials * plan.steps + (plan.trials + 1) * plan.validated / 2 / batch_size
    assert steps / (20 * math.ceil(rows / batch_size)) == pytest.approx(plan.share)
    assert 0.15 < plan.share <= 0.25
    assert plan.validated <= min(valid, 128)


def test_several_processes_have_more_steps_in_the_same_time() -> None:
    alone, together = (plan_rate_search(1000, 100, recipe(epochs=20, batch_size=4, processes=n)) for n in (1, 4))
    assert alone is not None and together is not None
    assert together.trials * together.steps * 4 < 1.1 * alone.trials * alone.steps


def test_a_training_that_is_too_short_takes_the_default(splits: DatasetManifest, tmp_path: Path) -> None:
    choice = choose_learning_rate(splits, BASE, recipe(epochs=2), tmp_path / "rates.json")
    assert choice == RateChoice(reason="the default: a training of 10 steps is too short to search for a better one")
    assert not (tmp_path / "rates.json").exists()


def test_where_a_rate_is_given_nothing_is_searched_for(splits: DatasetManifest, tmp_path: Path) -> None:
    assert choose_learning_rate(splits, BASE, recipe(learning_rate=1e-3), tmp_path / "rates.json") == RateChoice()


@pytest.fixture(scope="module")
def whole(splits: DatasetManifest, tmp_path_factory: pytest.TempPathFactory) -> tuple[RateChoice, Path]:
    file = tmp_path_factory.mktemp("whole") / "run" / "rates.json"
    return choose_learning_rate(splits, BASE, recipe(), file), file


def test_the_rate_with_the_lowest_loss_or_nearly_so_is_chosen_with_its_reason(whole: tuple[RateChoice, Path]) -> None:
    choice, file = whole
    losses = {trial.learning_rate: trial.loss for trial in choice.trials if trial.loss is not None}
    assert len(losses) >= 3
    assert choice.learning_rate is not None and choice.base_loss is not None
    assert losses[choice.learning_rate] < min(choice.base_loss, 1.06 * min(losses.values()))
    assert choice.reason.startswith(f"{choice.learning_rate:g} of {len(choice.trials)} tried: validation loss ")
    assert f"after {choice.steps} steps at 2.5 times the rate; next " in choice.reason
    assert read_rate_choice(file) == choice
    assert [path.name for path in file.parent.iterdir()] == ["rates.json"]


def counting(monkeypatch: pytest.MonkeyPatch, most: int = 100) -> list[float]:
    """Return a list that receives the rate of each short training; after ``most`` of them the search is killed."""
    trained: list[float] = []
    real: Callable[..., float] = ShortTrainings.loss_of

    def loss_of(self: ShortTrainings, rate: float, steps: int) -> float:
        if steps and len(trained) == most:
            raise KilledError
        trained.extend([rate] if steps else [])
        return real(self, rate, steps)

    monkeypatch.setattr(ShortTrainings, "loss_of", loss_of)
    return trained


def test_a_killed_search_repeats_no_short_training_and_ends_with_equal_losses(
    splits: DatasetManifest, whole: tuple[RateChoice, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, all_rates = tmp_path / "rates.json", {_HIGHER * trial.learning_rate for trial in whole[0].trials}
    with monkeypatch.context() as patched, pytest.raises(KilledError):
        before = counting(patched, most=2)
        choose_learning_rate(splits, BASE, recipe(), file)
    assert read_rate_choice(file) == RateChoice(), "it has not ended"
    with monkeypatch.context() as patched:
        after = counting(patched)
        assert choose_learning_rate(splits, BASE, recipe(), file) == whole[0]
    assert (len(before), set(before) | set(after)) == (2, all_rates)
    assert not set(before) & set(after)
    with monkeypatch.context() as patched:
        assert choose_learning_rate(splits, BASE, recipe(), file) == whole[0]
        assert counting(patched) == []


def test_the_losses_of_another_search_are_not_taken(
    splits: DatasetManifest, whole: tuple[RateChoice, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "rates.json"
    for content in (whole[1].read_text(), '{"identity": ', json.dumps({"identity": {}, "losses": 3, "choice": None})):
        file.write_text(content)
        trained = counting(monkeypatch, most=0)
        with pytest.raises(KilledError):
            choose_learning_rate(splits, BASE, recipe(seed=1), file)
        assert trained == []


def test_a_rate_that_diverges_loses(splits: DatasetManifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("florence2.training.strategies.LEARNING_RATES", {"full": (1e4, 1e4)})
    choice = choose_learning_rate(splits, BASE, recipe(strategy="full", max_grad_norm=1e9), tmp_path / "rates.json")
    assert {trial.loss for trial in choice.trials} == {None}
    assert choice.reason.endswith("all diverged within 13 steps")
    assert choice.learning_rate == 1e4 / 8, "the lowest of them"
