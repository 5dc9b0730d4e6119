"""The command ``florence2``. Each command is imported when it is used: ``florence2 --help`` answers at once."""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from types import FrameType
from typing import Annotated

import typer

from florence2.cli.commands import Commands
from florence2.errors import Florence2Error

__all__ = ["app", "main"]

app = typer.Typer(cls=Commands, no_args_is_help=True, add_completion=True, pretty_exceptions_enable=False)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"florence2-finetune {version('florence2-finetune')}")
        raise typer.Exit


@app.callback()
def florence2(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Fine-tune Florence-2 on your own images, evaluate it, and keep it good.

    Each command has a page of its own: florence2 train --help.
    """


def main() -> None:
    """Run the command; a ``Florence2Error`` ends in its message and exit status, never in a traceback.

    Exit statuses: 0 done, 1 invalid data or failed, 2 usage error, 130 interrupted, 143 ended by SIGTERM.
    """
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Unicode shows question marks, no traceback
    # Google's libraries warn of Python versions that they will drop.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"google\.")
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("florence2").setLevel(logging.INFO)
    try:
        with _sigterm_like_ctrl_c():
            app()
    except Florence2Error as exc:
        typer.echo(f"error: {exc}", err=True)
        sys.exit(exc.exit_status)
    except OSError as exc:
        if exc.errno == errno.ENOSPC:
            reason = "the disk is full; free space and try again"
        elif exc.errno in _PATH_ERRORS and exc.filename is not None:
            reason = f"{exc.strerror}; give a path that exists and that you may read and write"
        else:
            raise
        typer.echo(f"error: {exc.filename or 'standard output'}: {reason}", err=True)
        sys.exit(1)
    except SystemExit as exc:
        if exc.code == _INTERRUPTED:
            typer.echo("interrupted", err=True)
        raise
    finally:
        _flush_output()


_INTERRUPTED = 130
_PATH_ERRORS = {
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.EDQUOT, errno.EIO, errno.ESTALE),
    *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG),
}
"""Errors of the file system that a user causes and can correct, in any command: a folder may vanish at any time."""


def _open_closed_streams() -> None:
    """Open the standard streams that the process was started without, on the null device.

    Otherwise the next file that is opened gets the number of such a stream, and printed text is written into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    sys.stdin = sys.stdin or open(0, encoding="utf-8")  # noqa: SIM115 - for as long as the process
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8")  # noqa: SIM115


@contextlib.contextmanager
def _sigterm_like_ctrl_c() -> Iterator[None]:
    """Let SIGTERM, which ``docker stop`` sends, end the process like Ctrl-C, so that no temporary files are left."""

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():  # Python allows no signal handlers there
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _flush_output() -> None:
    """Flush standard output; a reader that has closed it, such as ``head``, is not an error."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
