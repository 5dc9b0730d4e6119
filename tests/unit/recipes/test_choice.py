"""The settings of a training where the user leaves them open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from florence2.config import Configuration, EvaluationConfig, ModelConfig, TrainingConfig
from florence2.datasets import DatasetManifest, ingest
from florence2.recipes.choice import RecipeChoice, choose_recipe
from florence2.recipes.recipe import read_recipe
from tests.builders import annotation, write_dataset

SMALL = ModelConfig(base="builtin:small")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> DatasetManifest:
    """Return 80 drawn samples to train on and 30 to validate on, with boxes."""
    lines = {split: [annotation("a.png")] * count for split, count in (("train", 80), ("valid", 30))}
    return ingest(Configuration(dataset=write_dataset(tmp_path_factory.mktemp("data"), lines)).dataset)


def choose(data: DatasetManifest, model: ModelConfig = SMALL, **settings: Any) -> RecipeChoice:
    config = Configuration(**settings)
    return choose_recipe(data, model, config.training, config.evaluation)


def test_what_is_left_open_is_that_of_the_recipe(drawn: DatasetManifest) -> None:
    chosen = choose(drawn)
    recipe = read_recipe("drawings").families["small"]
    assert chosen.training.recipe == "drawings"
    assert chosen.training.strategy == recipe.training["strategy"]
    assert chosen.training.learning_rate == recipe.training["learning_rate"]
    assert chosen.training.epochs == recipe.most_epochs
    assert chosen.training.best_by == "map50"
    assert chosen.evaluation.max_new_tokens == 32
    assert chosen.reason.startswith("recipe drawings (boxes on drawings): 80 samples of 1 image")


def test_what_was_given_stays_also_where_it_is_the_default(drawn: DatasetManifest) -> None:
    default = TrainingConfig()
    given: dict[str, Any] = {
        "epochs": 3,
        "batch_size": default.batch_size,
        "flip": 0.25,
        "best_by": "loss",
        "max_new_tokens": 1024,
    }
    chosen = choose(drawn, **given)
    assert chosen.training.epochs == 3
    assert chosen.training.batch_size == default.batch_size
    assert chosen.training.augmentation.flip == 0.25
    assert chosen.training.best_by == "loss"
    assert chosen.evaluation.max_new_tokens == 1024
    assert chosen.training.objective == choose(drawn).training.objective


def test_another_strategy_takes_its_own_learning_rate(drawn: DatasetManifest) -> None:
    chosen = choose(drawn, strategy="lora")
    assert chosen.training.strategy == "lora"
    assert chosen.training.learning_rate is None


def test_the_recipe_none_changes_nothing(drawn: DatasetManifest) -> None:
    chosen = choose(drawn, recipe="none")
    assert chosen.training == TrainingConfig(recipe="none")
    assert chosen.evaluation == EvaluationConfig()
    assert chosen.reason == ""


def test_a_choice_is_kept_when_it_is_chosen_again(drawn: DatasetManifest) -> None:
    first = choose(drawn)
    again = choose_recipe(drawn, SMALL, first.training, first.evaluation)
    assert (again.training, again.evaluation) == (first.training, first.evaluation)


def test_a_named_recipe_is_taken_and_one_of_the_users_own(drawn: DatasetManifest, tmp_path: Path) -> None:
    assert choose(drawn, recipe="photographs").training.augmentation.flip > 0
    file = tmp_path / "mine.yaml"
    file.write_text("title: mine\nfamilies: {small: {samples: 160, training: {light: 0.7}}}\n")
    chosen = choose(drawn, recipe=str(file)).training
    assert (chosen.epochs, chosen.augmentation.light, chosen.recipe) == (2, 0.7, "mine")
    own, config = read_recipe(str(file)), Configuration(recipe="mine")
    file.unlink()
    elsewhere = choose_recipe(drawn, SMALL, config.training, config.evaluation, own)
    assert elsewhere.training == chosen


def test_a_stored_configuration_needs_no_recipe_any_more(drawn: DatasetManifest) -> None:
    first = choose(drawn, seed=3).training.model_copy(update={"recipe": "of a file that is gone"})
    stored = TrainingConfig.model_validate(first.model_dump(mode="json"))
    again = choose_recipe(drawn, SMALL, stored, EvaluationConfig())
    assert (again.training, again.reason) == (stored, "")


def test_the_nano_base_has_the_defaults(drawn: DatasetManifest) -> None:
    chosen = choose(drawn, ModelConfig(base="builtin:nano")).training
    assert chosen == TrainingConfig(recipe="drawings", epochs=chosen.epochs)


def test_a_batch_holds_no_more_samples_than_there_are(tmp_path: Path) -> None:
    lines = {split: [annotation("a.png")] * 3 for split in ("train", "valid")}
    few = ingest(Configuration(dataset=write_dataset(tmp_path, lines)).dataset)
    assert choose(few).training.batch_size == 3
    assert choose(few, ModelConfig(base="builtin:nano")).training.batch_size == 3
    assert choose(few, batch_size=8).training.batch_size == 8, "what was given stays, and is reported by the training"


def test_few_samples_to_validate_on_let_the_loss_decide(drawn: DatasetManifest) -> None:
    table = drawn.table
    few = drawn.drop(table.index[table["split"] == "valid"][5:].tolist())
    assert choose(few).training.best_by == "loss"


def test_long_answers_have_fewer_epochs(tmp_path: Path) -> None:
    line = annotation("a.png")
    long = line | {"suffix": line["suffix"] * 30}
    epochs = []
    for name, lines in (("short", [line] * 300), ("long", [long] * 300)):
        splits = {"train": lines, "valid": [line]}
        epochs.append(
            choose(ingest(Configuration(dataset=write_dataset(tmp_path / name, splits)).dataset)).training.epochs
        )
    assert epochs[0] > 2 * epochs[1]


def test_objects_that_are_too_small_for_the_model_are_named(tmp_path: Path) -> None:
    line = annotation("a.png") | {"suffix": "cell<loc_10><loc_10><loc_40><loc_40>"}
    data = ingest(Configuration(dataset=write_dataset(tmp_path / "data", {"train": [line], "valid": [line]})).dataset)
    reason = choose(data).reason
    assert "objects of 4 pixels in the model's 128" in reason
    assert "many will not be found" in reason
