from pathlib import Path
from typing import Any

import pytest

from florence2 import MeanAveragePrecisionMetric
from florence2.config import (
    Configuration,
    PredictionConfiguration,
    PromotionConfiguration,
    leaf_paths,
)
from florence2.errors import ConfigurationError


def test_a_key_without_its_section_finds_it() -> None:
    flat = Configuration(dataset="my/cards", epochs=3, batch_size=4, rank=2, metrics=[MeanAveragePrecisionMetric()])
    nested = Configuration(
        dataset={"source": "my/cards"},
        training={"epochs": 3, "batch_size": 4, "lora": {"rank": 2}},
        evaluation={"metrics": ["mean_average_precision"]},
    )
    assert flat == nested


def test_a_path_is_accepted_as_the_data_set() -> None:
    assert Configuration(dataset=Path("my") / "cards").dataset.source == str(Path("my") / "cards")


def test_key_names_are_unique_in_the_tree() -> None:
    names = [name for name, _ in leaf_paths(PromotionConfiguration)]
    assert sorted(set(names)) == sorted(names)


def test_sections_survive_a_round_trip_through_plain_data() -> None:
    config = Configuration(dataset="d", epochs=2)
    assert Configuration(**config.model_dump(mode="json")) == config


def test_a_flat_key_leaves_the_callers_mapping_alone() -> None:
    training = {"epochs": 2}
    assert Configuration(training=training, batch_size=3).training.batch_size == 3
    assert training == {"epochs": 2}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epochs": 0}, r"training\.epochs: .*greater than or equal to 1, not 0"),
        ({"epoch": 3}, "epoch: unknown key; did you mean 'epochs'"),
        ({"training": {"lora": {"rnak": 3}}}, r"training\.lora\.rnak: unknown key; did you mean 'rank'"),
        ({"trainings": {}}, "did you mean 'training'"),
        ({"training": 3}, "training: .*not 3"),
        ({"training": 3, "epochs": 2}, "training: .*not 3"),
        ({"learning_rate": float("inf")}, "training.learning_rate: .*finite"),
        ({"learning_rate": "fast"}, r"training\.learning_rate: .*valid number, .* or 'auto', not 'fast'$"),
        ({"weight_decay": float("nan")}, "training.weight_decay: .*finite"),
        ({"alias": "latest"}, "registration.alias: .*gives itself"),
        ({"alias": "v12"}, "registration.alias: .*gives itself"),
        ({"model_name": ".."}, "registration.model_name: "),
        ({"strategy": "qlora"}, "'lora', 'full' or 'freeze', not 'qlora'"),
        ({"valid_fraction": 0.6, "test_fraction": 0.4}, "leave nothing to train on"),
    ],
)
def test_a_wrong_setting_names_itself_its_value_and_the_remedy(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Configuration(**values)


def test_a_promotion_is_configured_like_a_fine_tune_and_has_a_policy() -> None:
    flat: dict[str, Any] = {"dataset": "d", "confidence": 0.9}
    misspelt: dict[str, Any] = {"promotion": {"confidense": 0.9}}
    foreign: dict[str, Any] = {"promotion": {}}
    config = PromotionConfiguration(**flat)
    assert (config.dataset.source, config.promotion.confidence) == ("d", 0.9)
    with pytest.raises(ConfigurationError, match=r"promotion\.confidense: unknown key; did you mean 'confidence'"):
        PromotionConfiguration(**misspelt)
    with pytest.raises(ConfigurationError, match=r"promotion\.confidence: .*less than 1, not 1"):
        PromotionConfiguration(**flat | {"confidence": 1.0})
    with pytest.raises(ConfigurationError, match="promotion: unknown key"):
        Configuration(**foreign)


def test_all_wrong_settings_are_reported_together() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Configuration(training={"epochs": 0, "batch_size": -1, "epohcs": 2}, alias="No Such")
    assert all(name in str(caught.value) for name in ("epochs", "batch_size", "epohcs", "alias"))


def test_the_earlier_name_of_a_section_is_accepted() -> None:
    assert PredictionConfiguration(pictures={"folder": "photos"}) == PredictionConfiguration(folder="photos")
    with pytest.raises(ConfigurationError, match="pictures: is the earlier name of images; write images alone"):
        PredictionConfiguration(pictures={"folder": "photos"}, images={"folder": "photos"})
