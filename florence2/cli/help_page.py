"""What ``florence2 COMMAND --help`` prints: a panel for each section, two columns, readable at 80 characters."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from typer.core import TyperCommand, TyperGroup

__all__ = ["print_page"]

_OPTIONS, _ARGUMENTS = "Options", "Arguments"
_LEFT = 30
"""Characters of the column of options; the text of a longer one starts in the next line."""


def print_page(command: TyperCommand | TyperGroup, ctx: Any) -> None:
    """Print the help of a command or a group of commands, in colours where standard output is a terminal."""
    console = Console(highlight=False)
    paragraphs = [" ".join(part.split()) for part in inspect.cleandoc(command.help or "").split("\n\n")]
    console.print(Text(command.get_usage(ctx), "bold"))
    console.print(Text("\n" + "\n\n".join(paragraphs) + "\n"))
    panels: dict[str, list[Any]] = {_ARGUMENTS: [], _OPTIONS: []}
    for parameter in command.get_params(ctx):
        if not getattr(parameter, "hidden", False):
            standard = _ARGUMENTS if parameter.param_type_name == "argument" else _OPTIONS
            panels.setdefault(getattr(parameter, "rich_help_panel", None) or standard, []).append(parameter)
    for name, parameters in panels.items():
        if parameters:
            console.print(_panel(name, parameters))
    if isinstance(command, TyperGroup):
        console.print(_commands(command, ctx))
    if command.epilog:
        console.print(Text("\n" + " ".join(command.epilog.split())))


def _panel(name: str, parameters: list[Any]) -> Panel:
    """Return a panel; what stands after a colon in its name is said in its first line."""
    title, _, about = name.partition(": ")
    lines: list[RenderableType] = [Text(about, "dim")] if about else []
    for parameter in parameters:
        left = _name(parameter)
        if len(left) > _LEFT:
            lines.append(left)
            left = Text()
        row = Table.grid(padding=(0, 2, 0, 0), expand=True)
        row.add_column(width=_LEFT)
        row.add_column(ratio=1)
        row.add_row(left, _meaning(parameter))
        lines.append(row)
    return Panel(Group(*lines), title=Text(title, "bold"), title_align="left", border_style="dim")


def _commands(group: TyperGroup, ctx: Any) -> Panel:
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(style="bold cyan", no_wrap=True)
    table.add_column(ratio=1)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if command is not None and not command.hidden:
            table.add_row(name, Text(" ".join((command.help or "").split("\n\n")[0].split())))
    return Panel(table, title=Text("Commands", "bold"), title_align="left", border_style="dim")


def _name(parameter: Any) -> Text:
    """Return an option with what it takes; of its names the first, which is ours."""
    if parameter.param_type_name == "argument":
        name = parameter.metavar or parameter.name.upper()
        return Text(name if parameter.required else f"[{name}]", "bold cyan")
    found = Text(parameter.opts[0], "bold cyan")
    if not parameter.is_flag:
        found.append(f" {_metavar(parameter)}", "yellow")
    return found


def _metavar(parameter: Any) -> str:
    if parameter.metavar:
        return str(parameter.metavar)
    choices = parameter.type_descriptor.choices
    if choices:
        return "|".join(map(str, choices))
    return {int: "INT", float: "FLOAT", Path: "PATH"}.get(parameter.type_descriptor.annotation, "TEXT")


def _meaning(parameter: Any) -> Text:
    """Return the text of an option, its facts in brackets at the end paler than the rest."""
    text = " ".join((parameter.help or "").split())
    default = parameter.default
    if parameter.show_default and default not in (None, False, (), []):
        text += f" [default: {default}]"
    if parameter.secondary_opts:
        text += f" [turned off by {parameter.secondary_opts[0]}]"
    found = Text(text)
    if parameter.required:
        found.append(" [required]", "red")
    found.highlight_regex(r"(\[[^\]]*\] ?)+$", "dim")
    return found
