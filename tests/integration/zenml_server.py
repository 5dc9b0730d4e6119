"""A ZenML server as a process of its own, with a service account to log in as: what a remote stack needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from florence2.training.ports import free_port
from tests.waiting import wait_for

__all__ = ["ZenMLServer", "zenml_server"]


@dataclass(frozen=True)
class ZenMLServer:
    """A running server.

    Attributes:
        url: of it.
        api_key: of a service account.
    """

    url: str
    api_key: str

    def environment(self, config: Path) -> dict[str, str]:
        """Return what a client process needs to use it, with a configuration folder of its own."""
        return {"ZENML_CONFIG_PATH": str(config), "ZENML_STORE_URL": self.url, "ZENML_STORE_API_KEY": self.api_key}


@contextmanager
def zenml_server(folder: Path) -> Iterator[ZenMLServer]:
    """Start a server with an empty store in a folder; it ends with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZENML_STORE_")} | {
        "ZENML_CONFIG_PATH": str(folder),
        "ZENML_SERVER": "true",
        "ZENML_SERVER_AUTO_ACTIVATE": "true",
        "ZENML_SERVER_DEPLOYMENT_TYPE": "other",
        "ZENML_SERVER_AUTH_SCHEME": "OAUTH2_PASSWORD_BEARER",
        "ZENML_DEFAULT_USER_PASSWORD": "a-password",
        "ZENML_ANALYTICS_OPT_IN": "false",
    }
    command = [sys.executable, "-m", "uvicorn", "zenml.zen_server.zen_server_api:app", "--port", str(port)]
    with (folder / "server.log").open("wb") as log:
        # In a folder without ``.zen``: one in the working directory names a stack of another store.
        process = subprocess.Popen(
            [*command, "--log-level", "warning"], cwd=folder, env=environment, stdout=log, stderr=log
        )
    try:
        log_file = folder / "server.log"
        wait_for(partial(_is_ready, url), lambda: log_file.read_text() if process.poll() is not None else None, 0.5)
        yield ZenMLServer(url, _service_account(url))
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/ready", timeout=5):
            return True
    except OSError:
        return False


def _service_account(url: str) -> str:
    """Make a service account and return a key of it."""
    form = urllib.parse.urlencode({"username": "default", "password": "a-password"}).encode()
    token = _post(f"{url}/api/v1/login", form, "application/x-www-form-urlencoded")["access_token"]
    name = json.dumps({"name": "tests", "active": True}).encode()
    account = _post(f"{url}/api/v1/service_accounts", name, "application/json", token)
    key = _post(
        f"{url}/api/v1/service_accounts/{account['id']}/api_keys", b'{"name": "key"}', "application/json", token
    )
    value: str = key["body"]["key"]
    return value


def _post(url: str, body: bytes, kind: str, token: str = "") -> Any:
    headers = {"Content-Type": kind} | ({"Authorization": f"Bearer {token}"} if token else {})
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=60) as answer:
        return json.load(answer)
