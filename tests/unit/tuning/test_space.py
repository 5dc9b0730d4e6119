"""What a search varies, and how a point of the space becomes settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from florence2.config import Configuration, Dimension, Range, TrainingConfig
from florence2.datasets import DatasetManifest, ingest
from florence2.errors import ConfigurationError
from florence2.tuning.space import apply, check_space, default_params, default_space, settings_by_name
from tests.builders import annotation, write_dataset
from tests.trials import RATES, SPACE

DEFAULT = TrainingConfig(learning_rate=4e-3)


def data_of(folder: Path, prefix: str, suffix: str, count: int = 20) -> DatasetManifest:
    lines = {"train": [annotation("a.png", prefix, suffix)] * count, "valid": [annotation("b.png", prefix, suffix)]}
    return ingest(Configuration(dataset=write_dataset(folder, lines)).dataset).select("train")


@pytest.fixture
def drawn(tmp_path: Path) -> DatasetManifest:
    return data_of(tmp_path, "<OD>", "cat<loc_100><loc_200><loc_300><loc_400>")


def test_boxes_on_drawings_vary_what_concerns_them(drawn: DatasetManifest) -> None:
    space = default_space(drawn, DEFAULT, score="map50", is_small=True)
    assert set(space) == {"learning_rate", "strategy", "batch_size", "box_order", "location_smoothing", "crop"}
    assert space["batch_size"] == (4, 8, 16)
    assert default_params(space, DEFAULT)["learning_rate"] == 1.0


def test_questions_have_no_boxes(tmp_path: Path) -> None:
    space = default_space(data_of(tmp_path, "<VQA>what?", "cat"), DEFAULT, score="vqa_accuracy", is_small=True)
    assert set(space) == {"learning_rate", "strategy", "batch_size", "light"}


def test_a_loss_does_not_compare_trials_that_learn_other_answers(drawn: DatasetManifest) -> None:
    assert not {"box_order", "location_smoothing"} & set(default_space(drawn, DEFAULT, score="loss", is_small=True))


def test_what_was_given_does_not_vary(drawn: DatasetManifest) -> None:
    space = default_space(drawn, DEFAULT, ["batch_size", "learning_rate"], score="map50", is_small=True)
    assert not {"batch_size", "learning_rate"} & set(space)


def test_a_large_base_keeps_its_strategy(drawn: DatasetManifest) -> None:
    assert "strategy" not in default_space(drawn, DEFAULT, score="map50", is_small=False)


def test_a_batch_is_neither_larger_than_the_split_nor_uneven_for_the_processes(drawn: DatasetManifest) -> None:
    large = default_space(drawn, TrainingConfig(batch_size=16), score="map50", is_small=True)
    assert large["batch_size"] == (8, 16)
    even = default_space(drawn, DEFAULT, score="map50", is_small=True, processes=8)
    assert even["batch_size"] == (8, 16)


def test_a_list_has_the_value_of_the_default(drawn: DatasetManifest) -> None:
    unusual = TrainingConfig(objective={"box_order": "random", "location_smoothing": 1.5})
    space = default_space(drawn, unusual, score="map50", is_small=True)
    assert space["box_order"] == ("random", "given", "left_to_right")
    assert default_params(space, unusual)["location_smoothing"] == 1.5


def test_the_learning_rate_is_a_multiple_of_that_of_the_strategy() -> None:
    lora = apply({"learning_rate": 0.5, "strategy": "lora"}, SPACE, DEFAULT, RATES)
    full = apply({"learning_rate": 0.5, "strategy": "full"}, SPACE, DEFAULT, RATES)
    assert (lora.learning_rate, full.learning_rate) == (2e-3, 5e-4)
    assert (full.strategy, full.epochs) == ("full", DEFAULT.epochs)


def test_the_default_is_its_own_point() -> None:
    assert apply(default_params(SPACE, DEFAULT), SPACE, DEFAULT, RATES) == DEFAULT


def test_a_strategy_without_a_rate_has_its_own() -> None:
    assert apply({"strategy": "full"}, {"strategy": ("full", "lora")}, DEFAULT, RATES).learning_rate == 1e-3
    fixed = {"learning_rate": (1e-5, 1e-4)}
    assert apply({"learning_rate": 1e-5}, fixed, DEFAULT, RATES).learning_rate == 1e-5


def test_nested_settings_are_set_by_their_own_names() -> None:
    changed = apply({"rank": 4, "flip": 0.5}, {"rank": (4,), "flip": (0.5,)}, DEFAULT, RATES)
    assert (changed.lora.rank, changed.lora.alpha, changed.augmentation.flip) == (4, DEFAULT.lora.alpha, 0.5)


def test_a_space_without_the_default_has_no_point_for_it() -> None:
    assert default_params({"batch_size": (2, 4)}, DEFAULT) == {}
    assert default_params({"batch_size": Range(low=9, high=16)}, DEFAULT) == {}
    assert default_params({"batch_size": Range(low=4, high=16)}, DEFAULT) == {"batch_size": 8}


@pytest.mark.parametrize(
    ("space", "problem"),
    [
        ({}, "search.space: names no setting; known: strategy"),
        ({"flop": (1, 2)}, "search.space.flop: cannot vary; known: strategy"),
        ({"epochs": (1, 2)}, "search.space.epochs: cannot vary"),
        ({"best_by": ("loss",)}, "search.space.best_by: cannot vary"),
        ({"flip": (0.5, 2.0)}, r"search.space.flip: Input should be less than or equal to 1, not 2.0"),
        ({"batch_size": Range(low=0, high=4)}, "search.space.batch_size: .* not 0"),
        ({"batch_size": ()}, "search.space.batch_size: has no choices"),
        (
            {"flip": Range(low=0.1, high=0.2, of_default=True)},
            "search.space.flip: of_default is for learning_rate only",
        ),
    ],
)
def test_a_space_that_is_not_one_is_explained(space: dict[str, Dimension], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        check_space(space, DEFAULT)


def test_a_space_of_the_users_own_is_accepted() -> None:
    check_space({**SPACE, "rank": Range(low=4, high=64, log=True)}, DEFAULT)
    check_space(None, DEFAULT)


def test_settings_have_their_own_names() -> None:
    given = TrainingConfig(batch_size=4, augmentation={"flip": 0.5})
    assert settings_by_name(given, only_given=True) == {"batch_size": 4, "flip": 0.5}
    assert settings_by_name(given)["crop"] == 0.0
