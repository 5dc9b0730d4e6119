from pathlib import Path
from typing import Any

import pytest

from florence2 import MeanAveragePrecisionMetric
from florence2.config import (
    Configuration,
    Effect,
    ImagesConfig,
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


def test_conflicting_settings_are_reported_without_the_section_that_holds_them() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Configuration(temperature=1.0, num_beams=2)
    assert str(caught.value).endswith(
        "evaluation: temperature samples and num_beams searches: set temperature to 0 or num_beams to 1"
    )


def test_leaves_are_named_in_full_and_are_all_of_them() -> None:
    training = Configuration(rank=5, save_minutes=1).training
    leaves = training.leaves("training")
    paths = {".".join(path) for _, path in leaf_paths(Configuration) if path[0] == "training"}
    assert leaves.keys() == paths
    assert (leaves["training.lora.rank"], leaves["training.engine.save_minutes"]) == (5, 1)
    assert leaves.keys() - training.leaves("training", exclude={"engine"}).keys() == {
        path for path in paths if path.startswith("training.engine.")
    }


def test_a_setting_without_effect_on_the_result_has_its_default_where_only_the_result_counts() -> None:
    config = Configuration(loader_workers=3, preview=1, epochs=2, eval_batch_size=5, resamples=7, num_beams=2)
    assert config.training.without(Effect.COURSE) == Configuration(epochs=2).training
    assert config.evaluation.without(Effect.COURSE) == Configuration(resamples=7, num_beams=2).evaluation
    assert config.evaluation.without(Effect.COURSE, Effect.REPORT) == Configuration(num_beams=2).evaluation


@pytest.mark.parametrize(
    ("word", "output", "keep_answers"),
    [("beside", None, True), ("none", None, False), ("./none", "./none", True), (None, None, True)],
)
def test_earlier_words_for_the_folder_of_answers_are_accepted(
    word: str | None, output: str | None, keep_answers: bool
) -> None:
    images = PredictionConfiguration(folder="photos", output=word).images
    assert (images.output, images.keep_answers) == (output, keep_answers)
    assert ImagesConfig.model_validate(images.model_dump()) == images


def test_the_earlier_name_of_a_section_is_accepted() -> None:
    assert PredictionConfiguration(pictures={"folder": "photos"}) == PredictionConfiguration(folder="photos")
    with pytest.raises(ConfigurationError, match="pictures: is the earlier name of images; write images alone"):
        PredictionConfiguration(pictures={"folder": "photos"}, images={"folder": "photos"})


def test_a_folder_for_answers_that_are_not_kept_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"images.*output.*keep_answers"):
        PredictionConfiguration(folder="photos", output="answers", keep_answers=False)
