"""``Recipe``: the settings of a training for one kind of data, as they stand in a YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator

from florence2.config import NOT_BY_RECIPE, BaseConfig, Configuration, TrainingConfig, read_mapping
from florence2.errors import ConfigurationError
from florence2.model import FAMILIES

__all__ = ["AUTO", "NONE", "RECIPES", "FamilyRecipe", "Recipe", "own_recipe", "read_recipe"]

AUTO, NONE = "auto", "none"
"""Names of the recipe for the data and the base, and of the one that changes nothing."""

_FOLDER = Path(__file__).parent

RECIPES: dict[str, Path] = {
    name: _FOLDER / f"{name}.yaml" for name in ("photographs", "drawings", "documents", "questions", "captions")
}
"""The file of each recipe by its name."""


class FamilyRecipe(BaseConfig):
    """The settings for one family of bases."""

    samples: int = Field(
        ge=1,
        description="Samples that a training sees in all epochs together; one counts 1 + tokens of its answer / 100.",
    )
    most_epochs: int = Field(100, ge=1, description="Most epochs, for data sets that are small.")
    measured: str | None = Field(None, description="Command that measured these settings; empty: not measured.")
    training: dict[str, Any] = Field(default_factory=dict, description="Settings of the section training, by name.")

    @field_validator("training")
    @classmethod
    def _hold_settings_of_training(cls, value: dict[str, Any]) -> dict[str, Any]:
        """Return the settings in their sections, as the configuration has them."""
        in_section = {key: each for key, each in value.items() if key in TrainingConfig.model_fields}
        alone: dict[str, Any] = {key: each for key, each in value.items() if key not in in_section}
        try:
            sections = Configuration(training=in_section, **alone).model_dump(exclude_unset=True)
        except ConfigurationError as exc:
            raise ValueError(str(exc)) from exc
        if others := sorted(sections.keys() - {"training"}):
            raise ValueError(f"a recipe has settings of training only, not of {', '.join(others)}")
        nested: dict[str, Any] = sections.get("training", {})
        if own := sorted(nested.keys() & NOT_BY_RECIPE):
            raise ValueError(f"a recipe does not set {', '.join(own)}; epochs follow from samples")
        return nested


class Recipe(BaseConfig):
    """The settings of a training for one kind of data.

    Attributes:
        name: of the file, without its suffix.
        title: the kind of data, in words.
        families: the settings by family of bases, a key of ``FAMILIES``.
    """

    name: str
    title: str
    families: Mapping[str, FamilyRecipe]

    @field_validator("families")
    @classmethod
    def _know_families(cls, value: Mapping[str, FamilyRecipe]) -> Mapping[str, FamilyRecipe]:
        if unknown := sorted(value.keys() - FAMILIES.keys()):
            raise ValueError(f"unknown family {', '.join(unknown)}; known: {', '.join(FAMILIES)}")
        return value

    def for_family(self, family: str) -> FamilyRecipe:
        """Return the settings for a family of bases.

        Raises:
            ConfigurationError: it has none.
        """
        if family not in self.families:
            raise ConfigurationError(
                f"training.recipe: {self.name} has nothing for bases of the family {family!r}; "
                f"it has {', '.join(self.families)}"
            )
        return self.families[family]


def own_recipe(name: str) -> Recipe | None:
    """Return the recipe in a user's file; None for a name that every machine knows.

    Raises:
        ConfigurationError: there is no such file, or a key or value in it is wrong.
    """
    return None if name in (AUTO, NONE, *RECIPES) else read_recipe(name)


def read_recipe(name: str) -> Recipe:
    """Return a recipe.

    Args:
        name: a key of ``RECIPES``, or the path of a YAML file of one's own.

    Raises:
        ConfigurationError: there is no such recipe or file, or a key or value in it is wrong.
    """
    file = RECIPES.get(name, Path(name))
    if name not in RECIPES and file.suffix not in (".yaml", ".yml"):
        raise ConfigurationError(
            f"training.recipe: unknown recipe {name!r}; give auto, none, {', '.join(RECIPES)}, or a .yaml file"
        )
    try:
        return Recipe(**{"name": file.stem} | read_mapping(file))
    except (TypeError, ValidationError) as exc:
        problems = exc.errors() if isinstance(exc, ValidationError) else []
        lines = [f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in problems] or [str(exc)]
        raise ConfigurationError(f"{file}: not a recipe: {'; '.join(lines)}") from exc
