"""The command as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

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
