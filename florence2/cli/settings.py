"""Options of commands are made from the configuration: each default and text stands there and nowhere else."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from typing import Annotated, Any, get_origin

import typer
from pydantic.fields import FieldInfo

from florence2.config import Configuration, SectionTree, leaf_paths

__all__ = ["with_settings"]

_FLAGS = {"source": "--dataset", "base": "--model"}


def with_settings(
    *paths: str, without: Collection[str] = (), tree: type[SectionTree] = Configuration
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command options for settings; those that were given arrive as keywords.

    Args:
        paths: sections or single settings such as ``dataset`` or ``training.max_target_tokens``; none means all.
        without: names of settings that the command takes otherwise.
        tree: of which configuration they are.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.kind is not p.VAR_KEYWORD]
        options = [
            _option(name, _field(tree, path))
            for name, path in leaf_paths(tree)
            if name not in without and (not paths or any(_is_below(path, wanted) for wanted in paths))
        ]

        def run(**values: Any) -> None:
            command(**{name: value for name, value in values.items() if value not in (None, [])})

        run.__name__, run.__doc__ = command.__name__, command.__doc__
        run.__signature__ = inspect.Signature([*own, *options])  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *options)}
        return run

    return decorate


def _is_below(path: tuple[str, ...], wanted: str) -> bool:
    """Say whether a setting is the wanted one, or one of the wanted section."""
    parts = tuple(wanted.split("."))
    return path[: len(parts)] == parts


def _field(tree: type[SectionTree], path: tuple[str, ...]) -> FieldInfo:
    """Return the field of a setting."""
    model: Any = tree
    for section in path[:-1]:
        model = model.model_fields[section].annotation
    field: FieldInfo = model.model_fields[path[-1]]
    return field


def _option(name: str, field: FieldInfo) -> inspect.Parameter:
    default = field.get_default(call_default_factory=True)
    text = field.description or ""
    if default not in (None, (), {}, False):
        text += f" (default: {default})"
    kind: Any = str
    if get_origin(field.annotation) in (tuple, dict):
        kind = list[str]
    elif field.annotation in (int, float, bool):
        kind = field.annotation
    flag = _FLAGS.get(name, f"--{name.replace('_', '-')}")
    if field.annotation is bool:
        flag += f"/--no-{flag.removeprefix('--')}"
    option = Annotated[kind | None, typer.Option(flag, help=text, show_default=False)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=option)
