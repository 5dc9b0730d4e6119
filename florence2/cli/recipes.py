"""The command recipes: the settings of a first training, by kind of data and family of bases."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["recipes"]


def recipes(
    name: Annotated[str | None, typer.Argument(help="Show the settings of this one; a name, or a .yaml file.")] = None,
) -> None:
    """List the recipes that a training chooses from, or show one."""
    import yaml

    from florence2.recipes import RECIPES, read_recipe

    if name is None:
        for known in RECIPES:
            typer.echo(f"{known:<12} {read_recipe(known).title}")
        typer.echo("show one by: florence2 recipes NAME; a training takes it by --recipe NAME, or chooses one itself")
        return
    recipe = read_recipe(name)
    content = recipe.model_dump(exclude={"name"}, exclude_none=True)
    for family, settings in recipe.families.items():
        typer.echo(f"# {family}: {settings.measured or 'not measured'}")
    typer.echo(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), nl=False)
