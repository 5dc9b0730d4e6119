"""The command as typed: as a process of its own, or within this one where nothing depends on the process."""

from __future__ import annotations

import os
import subprocess
import sys

from typer.testing import CliRunner, Result

from florence2.cli import app
from tests import ROOT

MAIN = "import sys; sys.argv[0] = 'florence2'; from florence2.cli import main; main()"
"""Program that runs the command with the arguments that follow it."""


def run(*words: str, python: tuple[str, ...] = (), **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command on a terminal of 80 columns.

    Args:
        words: arguments of the command.
        python: options of the interpreter.
        environment: variables that are added to those of this process.
    """
    paths = os.pathsep.join(path for path in (environment.pop("PYTHONPATH", ""), str(ROOT)) if path)
    return subprocess.run(
        [sys.executable, *python, "-c", MAIN, *words],
        env={**os.environ, "COLUMNS": "80", "PYTHONPATH": paths, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def invoke(*words: str, **environment: str) -> Result:
    """Run the command within this process, on a terminal of 80 columns: without the start of Python and imports.

    Args:
        words: arguments of the command.
        environment: variables that are added to those of this process.
    """
    return CliRunner().invoke(app, words, prog_name="florence2", env={"COLUMNS": "80", **environment})
