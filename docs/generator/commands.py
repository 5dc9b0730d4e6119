"""``reference/commands.md``: every command and option, from the typer app."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperGroup

from docs.generator.markdown import MADE, escaped, table
from florence2.cli import app
from florence2.config import Configuration, leaf_paths

__all__ = ["commands", "commands_page", "options_of_settings"]

_HEAD = f"""# Commands
{MADE}

`florence2 COMMAND --help` shows the same. Options may be written `--epochs=10` or `--epochs 10`. A setting is an option
of the same name, with hyphens; where it stands in a YAML file: [configuration](configuration.md).

| status | what it means |
|---|---|
| 0 | it worked |
| 1 | the data is invalid, or the work failed; the message says what to do |
| 2 | the command is misspelt |
| 130 | it was interrupted |
"""


def commands_page() -> str:
    """Return the page in Markdown."""
    return "\n".join([_HEAD, *(_entry(name, command) for name, command in commands())])


def commands() -> Iterator[tuple[str, Any]]:
    """Yield the full name of each command, such as ``florence2 registry list``, and the command."""
    yield from _below("florence2", typer.main.get_command(app))


def _below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    found = command.load() if hasattr(command, "load") else command  # one that is imported when it is used
    if not isinstance(found, TyperGroup):
        yield name, found
        return
    context = typer.Context(found)  # type: ignore[arg-type]
    for each in found.list_commands(context):  # type: ignore[arg-type]
        inner = found.get_command(context, each)  # type: ignore[arg-type]
        if inner is not None and not inner.hidden:
            yield from _below(f"{name} {each}", inner)


@functools.cache
def options_of_settings() -> dict[str, str]:
    """Return the option of each setting by the setting's name."""
    settings = dict(leaf_paths(Configuration))
    return {
        parameter.name: parameter.opts[0]
        for _, command in commands()
        for parameter in command.params
        if parameter.name in settings and parameter.param_type_name == "option"
    }


def _entry(name: str, command: Any) -> str:
    context = typer.Context(command, info_name=name)
    own: list[list[str]] = []
    settings: list[list[str]] = []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and parameter.name != "help":
            (settings if parameter.name in options_of_settings() else own).append(_row(*record))
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    parts = [f"## {name}\n", escaped(inspect.cleandoc(command.help or "")) + "\n", f"```text\n{usage}\n```\n"]
    if own:
        parts.append(table(["of its own", "meaning"], own))
    if settings:
        parts.append(table(["setting", "meaning"], settings))
    return "\n".join(parts)


def _row(flags: str, text: str) -> list[str]:
    return [f"`{flags.strip()}`".replace("|", "\\|"), escaped(text)]
