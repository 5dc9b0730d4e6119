"""Recipes as YAML files: those of the package, and one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from florence2.config import Configuration
from florence2.errors import ConfigurationError
from florence2.model import FAMILIES
from florence2.recipes.recipe import AUTO, NONE, RECIPES, Recipe, own_recipe, read_recipe


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_of_the_package_is_valid_for_every_family(name: str) -> None:
    recipe = read_recipe(name)
    assert recipe.name == name
    assert recipe.families.keys() == FAMILIES.keys()
    for family in recipe.families.values():
        assert Configuration(training=family.training).training.recipe == AUTO


@pytest.mark.parametrize("name", RECIPES)
def test_the_nano_base_keeps_the_defaults(name: str) -> None:
    assert read_recipe(name).families["nano"].training == {}


def test_settings_may_stand_without_their_section(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("title: mine\nfamilies:\n  small:\n    samples: 100\n    training: {flip: 0.5, lr: 0.001}\n")
    recipe = read_recipe(str(file))
    assert recipe.name == "mine"
    assert recipe.families["small"].training == {"augmentation": {"flip": 0.5}, "learning_rate": 0.001}
    assert own_recipe(str(file)) == recipe
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


@pytest.mark.parametrize("name", [AUTO, NONE, *RECIPES])
def test_a_name_that_every_machine_knows_is_no_file_of_the_user(name: str) -> None:
    assert own_recipe(name) is None


@pytest.mark.parametrize(
    ("family", "message"),
    [
        ("small: {samples: 1, training: {flop: 0.5}}", "did you mean 'flip'"),
        ("small: {samples: 1, training: {base: x}}", "settings of training only, not of model"),
        ("small: {samples: 1, training: {epochs: 3}}", "does not set epochs"),
        ("small: {samples: 1, training: {loader_workers: 3}}", "does not set engine"),
        ("tiny: {samples: 1}", "unknown family tiny; known: nano, small, florence-2"),
        ("small: {samples: 0}", "families.small.samples: Input should be greater than or equal to 1"),
    ],
)
def test_a_wrong_file_says_where_and_what(tmp_path: Path, family: str, message: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(f"title: mine\nfamilies:\n  {family}\n")
    with pytest.raises(ConfigurationError, match=r"mine\.yaml: not a recipe") as caught:
        read_recipe(str(file))
    assert message in str(caught.value)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="unknown recipe 'photos'; give auto, none, photographs, drawings"):
        read_recipe("photos")


def test_a_family_that_a_recipe_does_not_have_is_named() -> None:
    recipe = Recipe.model_validate({"name": "mine", "title": "mine", "families": {"small": {"samples": 1}}})
    with pytest.raises(ConfigurationError, match="mine has nothing for bases of the family 'nano'; it has small"):
        recipe.for_family("nano")
