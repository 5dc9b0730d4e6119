"""The command ``florence2``. Heavy imports happen inside the commands: ``florence2 --help`` answers at once."""

from __future__ import annotations

import io
import logging
import sys

import typer

from florence2.cli.datasets import convert, freeze, stats, validate
from florence2.cli.demo import demo
from florence2.cli.doctor import doctor
from florence2.cli.export import export
from florence2.cli.init import init
from florence2.cli.models import LATEST, evaluate, train
from florence2.cli.predict import predict
from florence2.cli.registry import registry
from florence2.cli.score import score
from florence2.cli.serve import serve
from florence2.errors import Florence2Error

__all__ = ["app", "main"]

app = typer.Typer(no_args_is_help=True, add_completion=True, pretty_exceptions_enable=False)
for _command in (train, evaluate, predict, serve, export, demo, score, validate, convert, stats, freeze, init, doctor):
    app.command()(_command)
app.add_typer(registry, name="registry")


def main() -> None:
    """Run the command; an error of ours ends in its message and exit status, never in a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Unicode shows question marks, no traceback
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("florence2").setLevel(logging.INFO)
    try:
        app(args=_spelt_out(sys.argv[1:]))
    except Florence2Error as exc:
        typer.echo(f"error: {exc}", err=True)
        sys.exit(exc.exit_status)


def _spelt_out(arguments: list[str]) -> list[str]:
    """Give ``--resume`` its value where it stands alone: typer knows no option that may have one or not."""
    following = [*arguments[1:], "-"]
    return [
        f"--resume={LATEST}" if argument == "--resume" and after.startswith("-") else argument
        for argument, after in zip(arguments, following, strict=True)
    ]
