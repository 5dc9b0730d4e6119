"""Runs Python commands as forks of a process that has imported the libraries: importing them takes ten seconds.

A fork has the folder, the environment, the import path and the output of a process of its own, and imports the code of
the project anew. Only what comes from other packages is there already.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import NoReturn

__all__ = ["run_forked", "run_process"]

_LIBRARIES = (
    "great_expectations",
    "matplotlib.pyplot",
    "mlflow.pyfunc",
    "pandas",
    "peft",
    "sacrebleu",
    "scipy.optimize",
    "torch",
    "transformers.models.florence2.modeling_florence2",
    "transformers.trainer",
    "zenml.cli",
    "zenml.integrations.mlflow.experiment_trackers",
    "zenml.integrations.mlflow.model_registries",
)
_ADDRESS = "FLORENCE2_TESTS_FORKS"
"""Variable that names the socket of the process that forks."""
_OWN = ("florence2", "pipelines", "steps", "materializers")


def run_process(
    command: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a command as a process of its own."""
    return subprocess.run(command, cwd=folder, env=dict(environment), capture_output=True, text=True, check=False)


def run_forked(
    command: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run ``python ...`` or a script that is installed beside it, such as ``zenml ...``.

    A process that a test has started may do so too: it asks the same process for a fork.

    Args:
        command: with the words of a shell.
        folder: where it runs.
        environment: all of it, as for a process of its own.

    Returns:
        How it ended, and what it printed.
    """
    with tempfile.TemporaryDirectory(prefix="forked-") as scratch, socket.socket(socket.AF_UNIX) as connection:
        files = [Path(scratch, name) for name in ("stdout", "stderr")]
        request = {
            "command": list(command),
            "folder": str(folder),
            "environment": dict(environment) | {_ADDRESS: _address()},
            "files": [str(file) for file in files],
        }
        connection.connect(_address())
        connection.sendall(json.dumps(request).encode() + b"\n")
        status = int(connection.makefile().readline())
        return subprocess.CompletedProcess(list(command), status, *(file.read_text() for file in files))


def _address() -> str:
    """Return the socket of the process that forks; start it where there is none."""
    if _ADDRESS not in os.environ:
        folder = tempfile.TemporaryDirectory(prefix="forks-")
        atexit.register(folder.cleanup)
        address = f"{folder.name}/socket"
        own = {
            "GX_ANALYTICS_ENABLED": "false",
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
            "ZENML_ANALYTICS_OPT_IN": "false",
            "ZENML_LOGGING_COLORS_DISABLED": "true",
        }
        with socket.create_server(address, family=socket.AF_UNIX) as listener:
            subprocess.Popen(
                [sys.executable, "-P", __file__, str(listener.fileno()), str(os.getpid())],
                env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | own,
                stdin=subprocess.DEVNULL,
                pass_fds=[listener.fileno()],
            )
        os.environ[_ADDRESS] = address
    return os.environ[_ADDRESS]


def _serve(listener: socket.socket, parent: int) -> None:
    """Fork for each request until the process of the tests has ended."""
    for library in _LIBRARIES:
        importlib.import_module(library)
    assert not [name for name in sys.modules if name.partition(".")[0] in _OWN]
    assert threading.active_count() == 1, "a fork would lose the other threads"
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that attend
    while os.getppid() == parent:
        if select.select([listener], [], [], 1.0)[0]:
            connection = listener.accept()[0]
            if os.fork() == 0:
                listener.close()
                _attend(connection)
            connection.close()


def _attend(connection: socket.socket) -> NoReturn:
    """Run the command of a request in a fork, and answer with its exit status."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    request = json.loads(connection.makefile().readline())
    child = os.fork()
    if child == 0:
        connection.close()
        _run(**request)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    connection.sendall(f"{status}\n".encode())
    os._exit(0)


def _run(command: list[str], folder: str, environment: dict[str, str], files: list[str]) -> NoReturn:
    """Become the process of a command."""
    for number, file in enumerate(files, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    status = 0
    try:
        _execute(command)
    except SystemExit as exc:
        status = exc.code if isinstance(exc.code, int) else int(exc.code is not None)
        if isinstance(exc.code, str):
            print(exc.code, file=sys.stderr)  # noqa: T201
    except BaseException:
        sys.excepthook(*sys.exc_info())
        status = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _execute(command: list[str]) -> None:
    program, *arguments = command
    if not Path(program).name.startswith("python"):
        script = Path(sys.executable).with_name(program)
        sys.argv = [str(script), *arguments]
        _import_from(str(script.parent))
        runpy.run_path(str(script), run_name="__main__")
    elif arguments[0] == "-c":
        sys.argv = ["-c", *arguments[2:]]
        _import_from("")
        main = sys.modules["__main__"] = ModuleType("__main__")
        exec(compile(arguments[1], "<string>", "exec"), main.__dict__)
    elif arguments[0] == "-m":
        sys.argv = arguments[1:]
        _import_from(str(Path.cwd()))
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        _import_from(str(Path(arguments[0]).resolve().parent))
        runpy.run_path(arguments[0], run_name="__main__")


def _import_from(first: str) -> None:
    """Set the import path that a process would have: its script's folder, PYTHONPATH, and the libraries."""
    sys.path[:0] = [first, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    importlib.invalidate_caches()


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])), parent=int(sys.argv[2]))
