"""Fetching a URL of an unknown client: public addresses only, each redirect checked, bounded in size and time."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from florence2.errors import RequestError, TimeLimitError, TooLargeError
from florence2.storage.public_http import Address, fetch_public, is_public

LOOPBACK = ipaddress.ip_address("127.0.0.1")


def local(address: Address) -> bool:
    return address == LOOPBACK or is_public(address)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hosts: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        self.hosts.append(self.headers["Host"])
        if self.path.startswith("/to="):
            self.send_response(302)
            self.send_header("Location", self.path[4:])
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path == "/missing":
            self.send_error(404)
        elif self.path == "/endless":
            self.send_response(200)
            self.end_headers()
            for _ in range(1000):
                self.wfile.write(b"x" * 10_000)
            self.close_connection = True
        elif self.path == "/slow":
            self.send_response(200)
            self.end_headers()
            with contextlib.suppress(OSError):  # without an end, until the client closes the connection
                while True:
                    self.wfile.write(b"x")
                    time.sleep(0.05)
        elif self.path == "/cut":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"x" * 10)
            self.close_connection = True
        else:
            self.send_response(200)
            self.send_header("Content-Length", "7")
            self.end_headers()
            self.wfile.write(b"content")

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


def fetch(url: str, most_bytes: int = 1000, seconds: float = 10.0) -> bytes:
    return fetch_public(url, most_bytes=most_bytes, seconds=seconds, is_allowed=local)


@pytest.mark.parametrize(
    "text",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200", "0.0.0.0"),
        *("224.0.0.1", "255.255.255.255", "168.63.129.16", "192.0.2.1", "198.18.0.1", "240.0.0.1"),
        *("::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
        *("2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2001:0:4136:e378:8000:63bf:80ff:fffe"),
        *("fec0::1", "::7f00:1", "64:ff9b:1::7f00:1", "4000::1"),
    ],
)
def test_private_addresses_are_not_public(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", ["::127.0.0.1", "::10.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b:1::7f00:1"])
def test_addresses_that_a_network_may_translate_to_private_ones_are_not_public(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_public(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


def test_a_file_is_fetched_through_redirects(url: str) -> None:
    assert fetch(f"{url}/a.png") == b"content"
    assert fetch(f"{url}/to=/a.png") == b"content"
    assert fetch(f"{url}/to={url}/a.png") == b"content"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0x7f.1", "2130706433", "127.1"])
def test_the_own_machine_is_not_reached_by_any_spelling(url: str, host: str) -> None:
    with pytest.raises(RequestError, match=r"not a public address|has no address"):
        fetch_public(url.replace("127.0.0.1", host), most_bytes=1000, seconds=5)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("http://169.254.169.254/latest/meta-data/", "169.254.169.254 is not a public address"),
        ("http://[::1]:80/", "::1 is not a public address"),
        ("file:///etc/passwd", "only http and https"),
        ("//10.0.0.1/", "10.0.0.1 is not a public address"),
    ],
)
def test_a_redirect_is_checked_like_the_first_address(url: str, target: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        fetch(f"{url}/to={target}")


def test_the_number_of_redirects_is_bounded(url: str) -> None:
    with pytest.raises(RequestError, match="more than 3 redirects"):
        fetch(f"{url}/to=/to=/to=/to=/a.png")


def test_a_name_is_resolved_once_and_connected_to_the_address_that_was_checked(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolved: list[str] = []
    connected: list[str] = []
    resolve, connect = socket.getaddrinfo, socket.create_connection

    def rebinding(host: str, port: int, *args: Any, **options: Any) -> Any:
        if host != "images.example":
            return resolve(host, port, *args, **options)
        resolved.append(host)
        # The first resolution is allowed; a second one would lead to the private network.
        return resolve("127.0.0.1" if len(resolved) == 1 else "127.0.0.2", port, *args, **options)

    def noted(address: tuple[str, int], *args: Any, **options: Any) -> socket.socket:
        connected.append(address[0])
        return connect(address, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(socket, "create_connection", noted)
    address = url.replace("127.0.0.1", "images.example")
    assert fetch(f"{address}/a.png") == b"content"
    assert resolved == ["images.example"]
    assert connected == ["127.0.0.1"]
    assert Handler.hosts[-1] == address.removeprefix("http://")


def test_a_host_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = [(2, 1, 6, "", (address, 80)) for address in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: addresses)
    with pytest.raises(RequestError, match="not a public address"):
        fetch_public("http://both.example/", most_bytes=10, seconds=1)


def test_size_is_bounded_with_and_without_an_announced_length(url: str) -> None:
    for path in ("a.png", "endless"):
        with pytest.raises(TooLargeError, match="more than"):
            fetch(f"{url}/{path}", most_bytes=6)


def test_time_is_bounded_for_a_slow_server(url: str) -> None:
    with pytest.raises(TimeLimitError, match=r"within 0\.5 seconds"):
        fetch(f"{url}/slow", seconds=0.5)  # and not the error about the size, which comes after 1000 bytes


def test_time_is_bounded_for_a_slow_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: answered.wait(20))
    started = time.monotonic()
    with pytest.raises(TimeLimitError, match=r"silent\.example did not give the image within 0\.3 seconds"):
        fetch_public("http://silent.example/", most_bytes=10, seconds=0.3)
    assert time.monotonic() - started < 5
    answered.set()


@pytest.mark.parametrize(
    ("path", "message"), [("/missing", "status 404"), ("/cut", "cannot be reached: IncompleteRead")]
)
def test_an_error_of_the_server_is_reported(url: str, path: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        fetch(url + path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("http://user:secret@example.org/", "a user or a password"),
        ("http://example.org:99999/", "not a valid URL"),
        ("http:///a.png", "not a valid URL"),
        ("http://exa mple.org/", "not a valid URL"),
        ("http://example.org/a\r\nHost: other", "not a valid URL"),
        ("ftp://example.org/a.png", "only http and https"),
        ("http://no-such-host.invalid/", "no-such-host.invalid has no address"),
    ],
)
def test_a_wrong_url_is_reported_without_its_secrets(text: str, message: str) -> None:
    with pytest.raises(RequestError, match=message) as refused:
        fetch_public(text, most_bytes=10, seconds=5)
    assert "secret" not in str(refused.value)
