"""Sections: values that they convert, and settings that exclude each other."""

from __future__ import annotations

import pytest

from florence2.config import Configuration, ImagesConfig, PredictionConfiguration
from florence2.config.sections import RegistrationConfig, ValidationConfig
from florence2.errors import ConfigurationError


def test_conflicting_settings_are_reported_without_the_section_that_holds_them() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Configuration(temperature=1.0, num_beams=2)
    assert str(caught.value).endswith(
        "evaluation: temperature samples and num_beams searches: set temperature to 0 or num_beams to 1"
    )


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
