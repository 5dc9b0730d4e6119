"""Sections: their settings by full name, what only the result depends on, and settings that exclude each other."""

from __future__ import annotations

import pytest

from florence2.config import Configuration, Effect, ImagesConfig, PredictionConfiguration, leaf_paths
from florence2.config.sections import RegistrationConfig, ValidationConfig
from florence2.errors import ConfigurationError


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


def test_a_folder_for_answers_that_are_not_kept_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"images.*output.*keep_answers"):
        PredictionConfiguration(folder="photos", output="answers", keep_answers=False)


def test_rules_may_be_given_as_pairs() -> None:
    pairs = ValidationConfig.model_validate({"rules": ["box-outside=repair", "box-tiny=warn"]})
    assert pairs.rules == {"box-outside": "repair", "box-tiny": "warn"}


@pytest.mark.parametrize("alias", ["latest", "v1", "v22"])
def test_aliases_that_the_registry_gives_itself_are_refused(alias: str) -> None:
    with pytest.raises(ValueError, match="names that the MLflow registry gives itself"):
        RegistrationConfig(alias=alias)
    assert RegistrationConfig(alias=f"{alias}-mine").alias == f"{alias}-mine"
