"""The command recipes, as typed."""

from __future__ import annotations

import yaml
from typer.testing import CliRunner

from florence2.cli import app
from florence2.recipes import RECIPES, read_recipe


def test_every_recipe_is_listed_with_its_title() -> None:
    done = CliRunner().invoke(app, ["recipes"])
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == list(RECIPES)
    assert "boxes on photographs" in lines[0]
    assert "--recipe NAME" in lines[-1]


def test_a_recipe_is_shown_as_a_file_of_ones_own_would_be_written() -> None:
    done = CliRunner().invoke(app, ["recipes", "photographs"])
    shown = yaml.safe_load(done.stdout)
    recipe = read_recipe("photographs")
    assert "# florence-2: not measured\n" in done.stdout
    assert type(recipe)(name="photographs", **shown) == recipe


def test_an_unknown_recipe_is_an_error_that_lists_the_known_ones() -> None:
    done = CliRunner().invoke(app, ["recipes", "photos"])
    assert done.exit_code != 0
    assert "unknown recipe 'photos'" in str(done.exception)
