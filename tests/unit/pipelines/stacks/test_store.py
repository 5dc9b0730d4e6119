"""Whether a ZenML server answers, found in bounded time and reported with a message."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from florence2.errors import StackError
from pipelines.stacks import store

REQUESTED: list[str] = []


@contextmanager
def _server(status: int) -> Iterator[str]:
    REQUESTED.clear()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            REQUESTED.append(self.path)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("status", [200, 401, 404])
def test_a_server_that_answers_is_there_whatever_it_answers(status: int) -> None:
    with _server(status) as url:
        store.check_answers(url, verify=True)  # raises nothing
    assert REQUESTED == ["/health"]


def test_a_server_that_is_broken_is_reported_with_its_status() -> None:
    with _server(503) as url, pytest.raises(StackError, match=f"{url} cannot be reached: it answers with status 503"):
        store.check_answers(url, verify=True)


def test_a_server_that_does_not_answer_is_reported_with_what_to_do() -> None:
    with pytest.raises(StackError, match=r"Connection refused") as raised:
        store.check_answers("http://127.0.0.1:9", verify=True)
    assert "zenml login URL" in str(raised.value)


def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = store.SECONDS
    monkeypatch.setattr(store, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        with pytest.raises(StackError, match="timed out"):
            store.check_answers(f"http://127.0.0.1:{silent.getsockname()[1]}", verify=True)
    assert time.monotonic() - started < usual
