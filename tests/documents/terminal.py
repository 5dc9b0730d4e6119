"""Runs commands as somebody types them; ``florence2`` in a process that has imported everything already."""

from __future__ import annotations

import multiprocessing
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.waiting import PATIENCE_SECONDS

__all__ = ["Process", "Terminal"]

_IMPORTS = ["florence2.sdk", "florence2.cli", "great_expectations", "mlflow", "transformers.generation", "peft"]


class Process:
    """A command that runs."""

    def __init__(self, process: ForkServerProcess, file: Path) -> None:
        self._process, self._file = process, file

    def output(self) -> str:
        """Return what it has printed so far."""
        return self._file.read_text(encoding="utf-8", errors="replace")

    def running(self) -> bool:
        """Say whether it has not ended."""
        return self._process.is_alive()

    def send(self, number: int) -> None:
        """Send it a signal."""
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def wait(self) -> int:
        """Wait until it ends and return its exit status."""
        self._process.join(PATIENCE_SECONDS)
        if self._process.exitcode is None:
            self._process.kill()
            raise TimeoutError(f"a command did not end in {PATIENCE_SECONDS} s; it printed:\n{self.output()}")
        return self._process.exitcode


class Terminal:
    """Runs commands, each in a folder."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(_IMPORTS)

    def check(self, command: str, folder: Path) -> str:
        """Run a command that must end with status 0, and return what it printed."""
        status, output = self.run(command, folder)
        assert status == 0, f"{command}\nended with status {status}:\n{output}"
        return output

    def run(self, command: str, folder: Path) -> tuple[int, str]:
        """Run a command and return its exit status and what it printed."""
        words = shlex.split(command)
        if words[0] == "florence2" and not re.search(r"[|<>&;$]", re.sub(r'"[^"]*"|\'[^\']*\'', "", command)):
            process = self.start(words, folder)
            return process.wait(), process.output()
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=folder,
            env=os.environ | self._environment | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        return done.returncode, done.stdout

    def start(self, words: Sequence[str], folder: Path) -> Process:
        """Start ``florence2`` with its words and do not wait for it."""
        handle, name = tempfile.mkstemp(prefix="florence2-output-")
        os.close(handle)
        process = self._context.Process(target=_florence2, args=(list(words), folder, self._environment, name))
        process.start()
        return Process(process, Path(name))


def _florence2(words: list[str], folder: Path, environment: Mapping[str, str], output: str) -> None:
    """Be the command: what it prints goes to a file, its working directory is the folder."""
    os.chdir(folder)
    os.environ.update(environment)
    file = os.open(output, os.O_WRONLY | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.argv = words
    from florence2.cli import main

    main()
