"""The winner as a recipe: a training that takes it has the settings of the trial."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from florence2.config import Configuration, EvaluationConfig, ModelConfig, TrainingConfig
from florence2.datasets import ingest
from florence2.recipes import choose_recipe
from florence2.tuning.outcome import conclude
from florence2.tuning.running import TrialData
from florence2.tuning.written_recipe import as_recipe, recipe_yaml
from tests.builders import annotation, write_dataset
from tests.trials import ended, plan, repeated

FASTER = {"learning_rate": 0.5, "strategy": "full", "batch_size": 4}


@pytest.fixture
def data(tmp_path: Path) -> TrialData:
    lines = {split: [annotation("a.png")] * count for split, count in (("train", 80), ("valid", 30))}
    splits = ingest(Configuration(dataset=write_dataset(tmp_path / "data", lines)).dataset)
    return TrialData(splits, ModelConfig(base="builtin:nano"), EvaluationConfig())


@pytest.mark.parametrize("given", [{}, {"strategy": "full"}, {"epochs": 3}])
def test_a_training_by_the_recipe_has_the_settings_of_the_winner(
    data: TrialData, tmp_path: Path, given: dict[str, Any]
) -> None:
    search = plan(weight_decay=0.05)
    trials = [ended(0, [0.1], spread=0.01, of=search), ended(1, [0.9], spread=0.01, of=search, params=FASTER)]
    outcome = conclude(search, [*trials, repeated(trials[0], 2, 0.1), repeated(trials[1], 3, 0.9)])
    file = tmp_path / "recipe.yaml"
    file.write_text(recipe_yaml(as_recipe(outcome, data, "florence2 tune my-set")), encoding="utf-8")
    own = TrainingConfig.model_validate({"recipe": str(file), **given})
    chosen = choose_recipe(data.splits, data.model, own, data.evaluation).training
    expected = outcome.winner.trial.training.model_copy(update={"recipe": "recipe", "epochs": given.get("epochs", 12)})
    assert chosen == expected
    assert chosen.learning_rate == 5e-4


def test_the_default_is_a_recipe_too(data: TrialData) -> None:
    outcome = conclude(plan(), [ended(0, [0.4], spread=0.1), ended(1, [0.3], spread=0.1, params=FASTER)])
    recipe = as_recipe(outcome, data, "florence2 tune my-set --minutes=10")
    of_nano = recipe.for_family("nano")
    assert of_nano.training == {"strategy": "lora", "learning_rate": 4e-3, "best_by": "score"}
    assert of_nano.measured is not None
    assert of_nano.measured.startswith("florence2 tune my-set --minutes=10: the default is best")
    assert recipe.title == f"found by a search on {data.splits.name}"
