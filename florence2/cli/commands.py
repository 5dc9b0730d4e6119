"""The group of commands: each is imported when it is used, so that ``florence2 --help`` costs nothing but its own page.

Besides those of this package there are those that an installed package names by an entry point of the group
``florence2.commands``. One that cannot be imported says so in a line when it is called; the others do not notice.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from florence2.cli.command import Florence2Command
from florence2.errors import ConfigurationError, Florence2Error

__all__ = ["ENTRY_POINTS", "Commands", "Group", "LazyCommand"]

ENTRY_POINTS = "florence2.commands"
"""The group of those that add commands."""


class LazyCommand(TyperCommand):
    """Stands for a command until it is used.

    Args:
        name: what is typed.
        target: ``module:function``, or ``module:app`` for a ``typer.Typer`` with commands of its own.
        added_by: the package whose entry point it is; None for our own.
    """

    def __init__(self, name: str, target: str, added_by: str | None = None) -> None:
        super().__init__(name)
        self.target = target
        self._added_by = added_by

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Return the context of the command itself."""
        return self.load().make_context(info_name, args, parent=parent, **extra)

    def load(self) -> Any:
        """Import the command.

        Raises:
            ConfigurationError: it is of another package and cannot be imported, or its package is hidden by another.
        """
        from florence2.doctor import load_target

        try:
            found = load_target(self.target)
        except Florence2Error:
            raise
        except Exception as exc:
            if self._added_by is None:
                raise
            raise ConfigurationError(
                f"the command {self.name} of {self._added_by} cannot be loaded from {self.target}: "
                f"{type(exc).__name__}: {exc}"
            ) from exc
        if isinstance(found, typer.Typer):
            found.info.name, found.info.cls = self.name, Group
            for command in found.registered_commands:
                command.cls = Florence2Command
            return typer.main.get_group(found)
        app = typer.Typer(add_completion=False)
        app.command(self.name, cls=Florence2Command)(found)
        return typer.main.get_command(app)

    def describe(self) -> None:
        """Learn what the command does from its source: to import it would cost what it imports."""
        self.help = _summary(self.target) or (f"Added by {self._added_by}." if self._added_by else None)


class Group(TyperGroup):
    """A group with our page of help."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Print the page of help."""
        from florence2.cli.help_page import print_page

        print_page(self, ctx)


class Commands(Group):
    """A group whose commands are lazy: those of the class, and those of entry points."""

    own: Mapping[str, str] = {}

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: LazyCommand(name, target) for name, target in self.own.items()}

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command; entry points are only looked at for a name that is none of ours."""
        if cmd_name not in self.commands:
            self._add_plugins()
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:
        """Return all names; whoever lists them shows what each does."""
        self._add_plugins()
        for command in self.commands.values():
            if isinstance(command, LazyCommand) and command.help is None:
                command.describe()
        return super().list_commands(ctx)

    def _add_plugins(self) -> None:
        for point in entry_points(group=ENTRY_POINTS):
            if point.name not in self.commands:
                package = point.dist.name if point.dist else point.module
                self.commands[point.name] = LazyCommand(point.name, point.value, package)


def _summary(target: str) -> str | None:
    """Return the first paragraph of the docstring of a function, or of the module where the target is no function."""
    module, _, attribute = target.partition(":")
    try:
        file = _file_of(module)
        tree = ast.parse(file.read_text(encoding="utf-8")) if file else None
    except (ImportError, OSError, SyntaxError, ValueError):
        return None
    if tree is None:
        return None
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == attribute]
    text = ast.get_docstring(functions[0] if functions else tree)
    return " ".join(text.split("\n\n")[0].split()) if text else None


def _file_of(module: str) -> Path | None:
    """Return the file of a module; the packages that it is in are not imported, which may cost or fail."""
    top, *below = module.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None or not below:
        return Path(spec.origin) if spec and spec.origin else None
    stems = [Path(folder, *below) for folder in spec.submodule_search_locations or ()]
    files = [file for stem in stems for file in (stem.with_suffix(".py"), stem / "__init__.py")]
    return next((file for file in files if file.is_file()), None)
