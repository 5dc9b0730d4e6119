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
from florence2.config import BaseConfig, BaseConfiguration, Configuration

__all__ = ["commands", "commands_page", "options_of_settings", "trees"]

_HEAD = f"""# Commands
{MADE}

`florence2 COMMAND --help` shows the same. Options may be written `--epochs=10` or `--epochs 10`. A setting is an option
of the same name, with hyphens; its path in a YAML file: [configuration](configuration.md).

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
    context = typer.Context(found)
    for each in found.list_commands(context):
        inner = found.get_command(context, each)
        if inner is not None and not inner.hidden:
            yield from _below(f"{name} {each}", inner)


@functools.cache
def trees() -> tuple[type[BaseConfiguration], ...]:
    """Return every tree of sections: what a YAML file or a command can be configured by, the largest first."""
    list(commands())  # a tree is known once the command that takes it is imported
    found: list[type[BaseConfiguration]] = [Configuration]
    for tree in (*BaseConfiguration.__subclasses__(), *Configuration.__subclasses__()):
        found += [tree] if tree not in found and tree.__module__.startswith("florence2.") else []
    return tuple(found)


@functools.cache
def options_of_settings() -> dict[tuple[str, str], str]:
    """Return the option of each setting by its name and meaning: commands use names such as output otherwise."""
    meanings = {(name, meaning) for tree in trees() for name, meaning in _meanings(tree)}
    return {
        (name, meaning): parameter.opts[0]
        for _, command in commands()
        for parameter in command.params
        for name, meaning in meanings
        if _is(parameter, name, meaning)
    }


def _is(parameter: Any, name: str, meaning: str) -> bool:
    """Say whether an option is that of a setting: it has its name, and its help begins with its meaning."""
    return bool(meaning) and parameter.name == name and (parameter.help or "").startswith(meaning)


def _meanings(tree: Any) -> Iterator[tuple[str, str]]:
    for name, field in tree.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseConfig):
            yield from _meanings(field.annotation)
        else:
            yield name, field.description or ""


def _entry(name: str, command: Any) -> str:
    context = typer.Context(command, info_name=name)
    names = {setting for setting, meaning in options_of_settings() for p in command.params if _is(p, setting, meaning)}
    own: list[list[str]] = []
    settings: list[list[str]] = []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and parameter.name != "help":
            (settings if parameter.name in names else own).append(_row(*record))
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    parts = [f"## {name}\n", escaped(inspect.cleandoc(command.help or "")) + "\n", f"```text\n{usage}\n```\n"]
    if own:
        parts.append(table(["of its own", "meaning"], own))
    if settings:
        parts.append(table(["setting", "meaning"], settings))
    return "\n".join(parts)


def _row(flags: str, text: str) -> list[str]:
    return [f"`{flags.strip()}`".replace("|", "\\|"), escaped(text)]
