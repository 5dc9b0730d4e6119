"""Runs a check in a process of its own, so that one that crashes, hangs or prints does no harm to the others.

A broken build of torch may end its process without an exception, an unreachable server may block for minutes, and
libraries print to standard output. ``python -m florence2.doctor.isolated MODULE:FUNCTION`` runs one check alone and
shows its traceback.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress

from florence2.doctor.finding import Finding
from florence2.doctor.own_packages import load_target
from florence2.errors import Florence2Error

__all__ = ["run_isolated"]

_GRACE_SECONDS = 2.0


def run_isolated(function: str, seconds: float) -> list[Finding]:
    """Run a check and return its findings; one that crashes or hangs is a problem.

    Args:
        function: ``module:function``; it has no parameters and returns a list of ``Finding``.
        seconds: time limit, after which the process is killed.
    """
    command = [sys.executable, "-P", "-m", "florence2.doctor.isolated", function]
    # The same modules as in this process, also those of a folder that is not installed.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    )
    try:
        output, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        with suppress(subprocess.TimeoutExpired):  # a process that waits for a dead disk cannot be killed
            process.communicate(timeout=_GRACE_SECONDS)
        return [Finding("problem", f"no answer within {seconds:g} seconds; {_how_to_see_more(function)}")]
    try:
        return [Finding(**content) for content in json.loads(output)]
    except (ValueError, TypeError):
        lines = errors.decode(errors="replace").strip().splitlines() or [f"ended with status {process.returncode}"]
        return [Finding("problem", f"this check itself failed: {lines[-1].strip()}; {_how_to_see_more(function)}")]


def _how_to_see_more(function: str) -> str:
    return f"see more with: python -m florence2.doctor.isolated {function}"


def _main(function: str) -> None:
    """Run a check in this process; only its findings are written to standard output."""
    answer = os.dup(1)
    os.dup2(2, 1)
    try:
        found: list[Finding] = load_target(function)()
    except Florence2Error as exc:  # its message has the remedy
        found = [Finding("problem", str(exc))]
    text = json.dumps([finding.to_dict() for finding in found], indent=2) + "\n"
    with os.fdopen(answer, "w", encoding="utf-8") as stream:
        stream.write(text)
    # Do not wait for the threads of libraries, nor for what they do at exit.
    os._exit(0)


if __name__ == "__main__":
    _main(sys.argv[1])
