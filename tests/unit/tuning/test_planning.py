"""The plan of a search follows from the data, the base and what was given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from florence2.config import Configuration, ModelConfig, SearchConfig, TrainingConfig
from florence2.datasets import ingest
from florence2.tuning.plan import Pace, SearchPlan
from florence2.tuning.planning import plan_search
from florence2.tuning.running import TrialData
from tests.builders import annotation, write_dataset

BOX = annotation("a.png", "<OD>", "cat<loc_100><loc_200><loc_300><loc_400>")
QUESTION = annotation("a.png", "<VQA>what?", "cat")


@pytest.fixture
def planned(tmp_path: Path) -> Any:
    def make(search: SearchConfig, training: TrainingConfig, *, boxes: int = 30, questions: int = 0) -> SearchPlan:
        lines = [BOX] * boxes + [QUESTION] * questions
        config = Configuration(dataset=write_dataset(tmp_path, {"train": lines, "valid": lines}))
        data = TrialData(ingest(config.dataset), ModelConfig(base="builtin:nano"), config.evaluation)
        given = training.model_fields_set
        return plan_search(search, data, training, given, tmp_path / "pace")

    return make


def test_trials_alone_need_no_measurement(planned: Any) -> None:
    plan = planned(SearchConfig(trials=3), TrainingConfig(epochs=7))
    assert (plan.trials, plan.length.epochs, plan.full_epochs) == (3, 7, 7)
    assert (plan.score, plan.higher_is_better) == ("map50", True)
    assert plan.default.learning_rate == plan.rates["lora"] == 4e-3
    assert plan.default.best_by == "map50"


def test_the_rate_of_the_recipe_is_the_middle_of_its_strategy(planned: Any) -> None:
    plan = planned(SearchConfig(trials=3), TrainingConfig(strategy="full", learning_rate=7e-4))
    assert (plan.rates["full"], plan.rates["lora"]) == (7e-4, 4e-3)


def test_a_rate_that_is_to_be_searched_for_varies(planned: Any) -> None:
    plan = planned(SearchConfig(trials=3), TrainingConfig(learning_rate="auto"))
    assert plan.default.learning_rate == 4e-3
    assert "learning_rate" in plan.space
    assert "learning_rate" not in planned(SearchConfig(trials=3), TrainingConfig(learning_rate=1e-3)).space


def test_of_several_tasks_the_most_frequent_one_compares(planned: Any) -> None:
    plan = planned(SearchConfig(trials=3), TrainingConfig(), boxes=20, questions=25)
    assert plan.score == "vqa_accuracy"


def test_a_few_samples_are_compared_by_their_loss(planned: Any) -> None:
    plan = planned(SearchConfig(trials=3), TrainingConfig(), boxes=19)
    assert (plan.score, plan.higher_is_better) == ("loss", False)


def test_the_loss_stays_where_it_was_given(planned: Any) -> None:
    assert planned(SearchConfig(trials=3), TrainingConfig(best_by="loss")).score == "loss"


def test_a_space_of_the_users_own_replaces_the_chosen_one(planned: Any) -> None:
    plan = planned(SearchConfig(trials=3, space={"rank": (8, 16)}), TrainingConfig())
    assert plan.space == {"rank": (8, 16)}


def test_minutes_are_divided_by_the_pace(planned: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def measured(*_: Any) -> Pace:
        return Pace(seconds_per_epoch=10.0, spent=30.0)

    monkeypatch.setattr("florence2.tuning.planning.measure_pace", measured)
    plan = planned(SearchConfig(minutes=10), TrainingConfig(epochs=50))
    assert (plan.trials, plan.length.epochs, plan.full_epochs) == (None, 45 // 6, 50)
    assert plan.default.epochs == 7
