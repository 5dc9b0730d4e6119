"""A remote stack made of real parts on one machine: a ZenML server, an S3 server, an MLflow server, isolated steps."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from florence2.training.ports import free_port
from tests.integration.forked import run_forked
from tests.waiting import wait_for

__all__ = ["SECRETS", "RemoteStack"]

_ROOT = Path(__file__).resolve().parents[2]
_CODE = (
    "florence2",
    "pipelines",
    "steps",
    "materializers",
    "florence_finetune.py",
    "florence_predict.py",
    "florence_promote.py",
    "requirements.lock",
    "pyproject.toml",
)
SECRETS = {"key": "AKIAhunter2hunter2", "secret": "hunter2-of-the-store", "password": "hunter2-of-the-tracker"}
"""What the stack is given to log in with."""


@dataclass(frozen=True)
class RemoteStack:
    """The servers, and machines that submit.

    Attributes:
        folder: everything is below it: ``submitters``, ``machines`` of steps, ``servers``.
        server: URL of the ZenML server.
        store: URL of the S3 server.
        tracker: URL of the MLflow server.
    """

    folder: Path
    server: str
    store: str
    tracker: str

    @classmethod
    @contextlib.contextmanager
    def running(cls, folder: Path) -> Iterator[RemoteStack]:
        """Start the servers in processes of their own, create the stack, and stop them in the end."""
        stack = cls(folder, *(f"http://127.0.0.1:{free_port()}" for _ in range(3)))
        for name in ("machines", "servers/zenml"):
            (folder / name).mkdir(parents=True)
        code = _copy_code(folder / "code")
        with contextlib.ExitStack() as servers:
            commands = list(stack._commands())
            for command, environment, _ in commands:
                servers.enter_context(_served(command, environment, folder / "servers"))
            for *_, answers in commands:
                wait_for(partial(_answers, answers), pause_seconds=0.3)
            urllib.request.urlopen(urllib.request.Request(f"{stack.store}/zen", method="PUT")).close()
            settings = [stack.store, stack.tracker, str(code), str(folder / "machines"), SECRETS]
            home = stack.submitter("set_up")
            shutil.copy(Path(__file__).with_name("create_remote_stack.py"), home)
            done = stack.submit("set_up", [sys.executable, "create_remote_stack.py", json.dumps(settings)])
            assert done.returncode == 0, done.stdout + done.stderr
            (folder / "stack_id").write_text(done.stdout.split()[-1])
            yield stack

    def submitter(self, name: str) -> Path:
        """Return the folder of a machine that submits, which has its own copy of the code; made if need be."""
        home = self.folder / "submitters" / name
        return home if home.is_dir() else _copy_code(home)

    def submit(self, name: str, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a command on a machine that submits."""
        home, stack_id = self.submitter(name), self.folder / "stack_id"
        environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home / ".cache"),
            "PYTHONPATH": str(home),
            "ZENML_CONFIG_PATH": str(home / ".zenml"),
            "ZENML_STORE_URL": self.server,
            "ZENML_STORE_TYPE": "rest",
            "ZENML_ANALYTICS_OPT_IN": "false",
            "ZENML_LOGGING_COLORS_DISABLED": "true",
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
        }
        if stack_id.is_file():
            environment["ZENML_ACTIVE_STACK_ID"] = stack_id.read_text()
        return run_forked(command, home, environment)

    def _commands(self) -> Iterator[tuple[list[str], dict[str, str], str]]:
        """Yield the command of each server, its environment, and the URL that answers when it is up."""
        python, servers = sys.executable, self.folder / "servers"
        store, server, tracker = (url.rpartition(":")[2] for url in (self.store, self.server, self.tracker))
        yield [python, "-m", "moto.server", "-p", store], {}, f"{self.store}/moto-api/"
        zenml = {
            "ZENML_SERVER": "true",
            "ZENML_CONFIG_PATH": str(servers / "zenml"),
            "ZENML_ANALYTICS_OPT_IN": "false",
            "ZENML_SERVER_AUTH_SCHEME": "NO_AUTH",
            "ZENML_SERVER_DEPLOYMENT_TYPE": "local",
            "ZENML_SERVER_AUTO_ACTIVATE": "true",
        }
        command = ["-m", "uvicorn", "zenml.zen_server.zen_server_api:app", "--log-level", "warning"]
        yield [python, *command, "--port", server], zenml, f"{self.server}/health"
        keys = {"AWS_ACCESS_KEY_ID": SECRETS["key"], "AWS_SECRET_ACCESS_KEY": SECRETS["secret"]}
        where = {"MLFLOW_S3_ENDPOINT_URL": self.store, "AWS_DEFAULT_REGION": "us-east-1"}
        kept = ["--backend-store-uri", f"sqlite:///{servers}/mlflow.db", "--artifacts-destination", "s3://zen/mlflow"]
        command = ["-m", "mlflow", "server", "--workers", "1", "--port", tracker, *kept]
        yield [python, *command], keys | where, f"{self.tracker}/health"


def _copy_code(target: Path) -> Path:
    """Copy what an image would hold, and the flavour of the orchestrator with what it imports."""
    target.mkdir(parents=True)
    for name in _CODE:
        if (_ROOT / name).is_dir():
            shutil.copytree(_ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(_ROOT / name, target)
    for name in ("isolated_orchestrator.py", "forked.py"):
        shutil.copy(Path(__file__).with_name(name), target)
    return target


@contextlib.contextmanager
def _served(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Iterator[None]:
    """Run a server until the end of the context."""
    log = folder / f"{command[2].partition('.')[0]}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, "HOME": str(folder), **environment}, stdout=output, stderr=output
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(url: str) -> bool:
    with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
        urllib.request.urlopen(url, timeout=5).close()
        return True
    return False
