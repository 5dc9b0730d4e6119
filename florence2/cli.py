"""The command ``florence2``. Its options are made from the configuration: each default and text stands there."""

from __future__ import annotations

import inspect
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, get_origin

import typer
from pydantic import BaseModel

from florence2.config import Configuration
from florence2.errors import Florence2Error

__all__ = ["app", "main"]

app = typer.Typer(no_args_is_help=True, add_completion=True, pretty_exceptions_enable=False)


def _leaves(model: type[BaseModel]) -> Iterator[tuple[str, Any, str]]:
    """Yield name, type and help text of every setting in the tree; names are unique in it."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _leaves(field.annotation)
        else:
            default = field.get_default(call_default_factory=True)
            text = field.description or ""
            yield name, field.annotation, text if default in (None, ()) else f"{text} (default: {default})"


def _with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for every setting; those that were given arrive as keywords."""
    own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.kind is not p.VAR_KEYWORD]
    options = []
    for name, annotation, text in _leaves(Configuration):
        flag = "--dataset" if name == "source" else "--model" if name == "base" else f"--{name.replace('_', '-')}"
        kind = list[str] if get_origin(annotation) is tuple else annotation if annotation in (int, float) else str
        option = Annotated[kind | None, typer.Option(flag, help=text, show_default=False)]  # type: ignore[valid-type]
        options.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=option))

    def run(**values: Any) -> None:
        command(**{name: value for name, value in values.items() if value not in (None, [])})

    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__signature__ = inspect.Signature([*own, *options])  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *options)}
    return run


def train(
    *, output: Annotated[Path, typer.Option(help="Folder in which a numbered folder is made.")] = Path("runs"), **s: Any
) -> None:
    """Fine-tune Florence-2 on a data set and evaluate it before and after."""
    configuration = Configuration(**s)
    from rich.console import Console

    from florence2 import sdk
    from florence2.evaluation.terminal import comparison

    result = sdk.train(configuration, output)
    Console().print(comparison(result.report))
    typer.echo(f"checkpoint  {result.checkpoint.folder}\nreport      {result.folder / 'report' / 'report.html'}")


def evaluate(
    *,
    checkpoint: Annotated[Path, typer.Option(help="Folder of a checkpoint or of a run.")],
    split: Annotated[str, typer.Option(help="train, valid or test.")] = "test",
    **s: Any,
) -> None:
    """Evaluate a checkpoint on one split of a data set."""
    configuration = Configuration(**s)
    from florence2 import sdk

    for name, value in sdk.evaluate(checkpoint, configuration, split).metrics.items():
        typer.echo(f"{name:24} {value:.4f}")


app.command()(_with_settings(train))
app.command()(_with_settings(evaluate))


def main() -> None:
    """Run the command; an error of ours ends in its message and exit status, never in a traceback."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("florence2").setLevel(logging.INFO)
    try:
        app()
    except Florence2Error as exc:
        typer.echo(f"error: {exc}", err=True)
        sys.exit(exc.exit_status)
