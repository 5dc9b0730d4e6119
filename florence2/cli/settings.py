"""Options of commands are made from the configuration: each default and text stands there and nowhere else."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator
from typing import Annotated, Any, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from florence2.config import Configuration

__all__ = ["with_settings"]

_FLAGS = {"source": "--dataset", "base": "--model"}


def with_settings(*paths: str, without: Collection[str] = ()) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command options for settings; those that were given arrive as keywords.

    Args:
        paths: sections or single settings such as ``dataset`` or ``training.max_target_tokens``; none means all.
        without: names of settings that the command takes otherwise.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.kind is not p.VAR_KEYWORD]
        options = [
            _option(name, field)
            for path, name, field in _leaves(Configuration)
            if name not in without and (not paths or any(f"{path}.".startswith(f"{wanted}.") for wanted in paths))
        ]

        def run(**values: Any) -> None:
            command(**{name: value for name, value in values.items() if value not in (None, [])})

        run.__name__, run.__doc__ = command.__name__, command.__doc__
        run.__signature__ = inspect.Signature([*own, *options])  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *options)}
        return run

    return decorate


def _leaves(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, str, FieldInfo]]:
    """Yield path, name and field of every setting in the tree; names are unique in it."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _leaves(field.annotation, f"{above}{name}.")
        else:
            yield f"{above}{name}", name, field


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
    option = Annotated[kind | None, typer.Option(flag, help=text, show_default=False)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=option)
