"""The group of commands: each is imported when it is used, so that ``florence2 --help`` stays immediate.

Besides those of this package there are those that an installed package names by an entry point of the group
``florence2.commands``. One that cannot be imported says so in a line when it is called; the others still work.
"""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from florence2.cli.command import Florence2Command
from florence2.errors import ConfigurationError, Florence2Error
from florence2.plugins import plugins_of

__all__ = ["COMMANDS", "ENTRY_POINTS", "Commands", "LazyCommand"]

COMMANDS = {
    "doctor": "florence2.cli.doctor:doctor",
    "init": "florence2.cli.init:init",
    "train": "florence2.cli.models:train",
    "tune": "florence2.cli.tune:tune",
    "evaluate": "florence2.cli.models:evaluate",
    "predict": "florence2.cli.predict:predict",
    "serve": "florence2.cli.serve:serve",
    "import": "florence2.cli.import_model:import_model",
    "export": "florence2.cli.export:export",
    "demo": "florence2.cli.demo:demo",
    "score": "florence2.cli.score:score",
    "validate": "florence2.cli.datasets:validate",
    "convert": "florence2.cli.convert:convert",
    "stats": "florence2.cli.datasets:stats",
    "freeze": "florence2.cli.datasets:freeze",
    "recipes": "florence2.cli.recipes:recipes",
    "registry": "florence2.cli.registry:registry",
}
"""Where each command is; its line in the help is the first paragraph of its docstring, or of its module's."""

ENTRY_POINTS = "florence2.commands"
"""The group of entry points that add commands."""


class LazyCommand(TyperCommand):
    """Stands for a command until it is used: typer itself has no commands that are imported later.

    Args:
        name: of the command.
        target: ``module:function``, or ``module:app`` for a ``typer.Typer`` with commands of its own.
        added_by: the package whose entry point it is; None for a command of this package.
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
                f"{type(exc).__name__}: {exc}; repair or uninstall that package"
            ) from exc
        if isinstance(found, typer.Typer):
            found.info.name = self.name
            for command in found.registered_commands:
                command.cls = Florence2Command
            return typer.main.get_group(found)
        app = typer.Typer(add_completion=False)
        app.command(self.name, cls=Florence2Command)(found)
        return typer.main.get_command(app)

    def describe(self) -> None:
        """Read the command's help from its source: an import would take as long as all that it imports."""
        self.help = _summary(self.target) or (f"Added by {self._added_by}." if self._added_by else None)


class Commands(TyperGroup):
    """A group whose commands are lazy: those of this package, and those of entry points."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: LazyCommand(name, target) for name, target in COMMANDS.items()}

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command; entry points are only read for a name that is not in COMMANDS."""
        if cmd_name not in self.commands:
            self._add_plugins()
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:
        """Return all names, each command with the line that describes it."""
        self._add_plugins()
        for command in self.commands.values():
            if isinstance(command, LazyCommand) and command.help is None:
                command.describe()
        return super().list_commands(ctx)

    def _add_plugins(self) -> None:
        for plugin in plugins_of(ENTRY_POINTS):
            if plugin.name not in self.commands:
                self.commands[plugin.name] = LazyCommand(plugin.name, plugin.target, plugin.package)


def _summary(target: str) -> str | None:
    """Return the first paragraph of the docstring of a function; of the module where the target is not a function."""
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
    """Return the file of a module without importing the packages that it is in, as ``find_spec`` would."""
    top, *below = module.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None or not below:
        return Path(spec.origin) if spec and spec.origin else None
    stems = [Path(folder, *below) for folder in spec.submodule_search_locations or ()]
    files = [file for stem in stems for file in (stem.with_suffix(".py"), stem / "__init__.py")]
    return next((file for file in files if file.is_file()), None)
