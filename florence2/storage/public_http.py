"""Fetch a file from a URL that an unknown client gave, without access to the private network of the server.

Only http and https are allowed, and only hosts all of whose addresses are public. A host is resolved once, and the
connection goes to an address that was checked, so a later change of the name has no effect. Each redirect is checked in
the same way. Proxies of the environment are not used, because they would resolve the name again.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from florence2.errors import RequestError, TimeLimitError, TooLargeError

__all__ = ["Address", "fetch_public", "is_public"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_PORTS = {"http": 80, "https": 443}
_REDIRECTS = 3
_PIECE = 1 << 16
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
"""IPv6 addresses behind which a gateway reaches the IPv4 address in their last 32 bits (RFC 6052)."""
_UNICAST = ipaddress.ip_network("2000::/3")
"""The IPv6 addresses that were given to networks of the internet (RFC 4291 and IANA's register)."""
_SERVICES = frozenset({ipaddress.ip_address("168.63.129.16")})
"""Public by its number, but a service of the host: that of Azure."""


def is_public(address: Address) -> bool:
    """Return whether an address is public: not private, loopback, link-local, shared or multicast.

    Of an IPv6 address that stands for an IPv4 address the latter is checked. Addresses of cloud metadata are
    link-local, unique local or shared, so they are not public.
    """
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        if address in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner:
            return is_public(inner)
        if address not in _UNICAST:
            return False
    return address.is_global and not address.is_multicast and address not in _SERVICES


def fetch_public(
    url: str, *, most_bytes: int, seconds: float, is_allowed: Callable[[Address], bool] = is_public
) -> bytes:
    """Return the content of a URL.

    Args:
        url: of http or https.
        most_bytes: size of the largest content that is accepted.
        seconds: time limit for everything, redirects included.
        is_allowed: returns whether an address may be connected to.

    Raises:
        RequestError: the URL is not allowed, or gives no file. The message has host and reason only.
        TooLargeError: the content is larger.
        TimeLimitError: the time limit has passed.
    """
    until = time.monotonic() + seconds
    for _ in range(_REDIRECTS + 1):
        parts = _checked(url)
        with _response(parts, until, seconds, is_allowed) as response:
            if response.status in (301, 302, 303, 307, 308):
                url = urljoin(url, response.headers.get("Location") or "")
                continue
            if response.status != 200:
                raise RequestError(f"{parts.hostname} answered with status {response.status}; give a URL of an image")
            return _content(response, str(parts.hostname), most_bytes)
    raise RequestError(f"the URL has more than {_REDIRECTS} redirects; give the URL at their end")


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise RequestError(f"not a valid URL: {exc}") from exc
    if parts.scheme not in _PORTS:
        raise RequestError(f"a URL of {parts.scheme or 'nothing'!r}: only http and https are allowed")
    if not parts.hostname or port == 0 or not url.isascii() or any(letter <= " " for letter in url):
        raise RequestError("not a valid URL: it must be ASCII, without blanks, and name a host")
    if parts.username is not None or parts.password is not None:
        raise RequestError(f"the URL for {parts.hostname} holds a user or a password; give one without")
    return parts


@contextlib.contextmanager
def _response(
    parts: SplitResult, until: float, seconds: float, is_allowed: Callable[[Address], bool]
) -> Iterator[http.client.HTTPResponse]:
    """Request a URL and give the response, its body not yet read; at the time limit the connection is closed."""
    host = str(parts.hostname)
    passed = threading.Event()
    try:
        port = parts.port or _PORTS[parts.scheme]
        plain = _connect(host, port, until, is_allowed)

        def cut() -> None:
            passed.set()
            with contextlib.suppress(OSError):
                plain.shutdown(socket.SHUT_RDWR)

        # The time limit of a socket is that of each read: a host that sends slowly would never exceed it.
        timer = threading.Timer(max(0.0, until - time.monotonic()), cut)
        timer.daemon = True
        timer.start()
        connection = http.client.HTTPConnection(host, port)
        try:
            connection.default_port = _PORTS[parts.scheme]
            connection.sock = _encrypted(plain, host) if parts.scheme == "https" else plain
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("GET", target, headers={"Accept": "image/*", "User-Agent": "florence2"})
            yield connection.getresponse()
            if passed.is_set():
                raise TimeoutError
        finally:
            timer.cancel()
            connection.close()
            plain.close()
    except (OSError, http.client.HTTPException) as exc:
        if passed.is_set() or isinstance(exc, TimeoutError):
            raise TimeLimitError(f"{host} did not give the image within {seconds:g} seconds") from exc
        raise RequestError(f"{host} cannot be reached: {type(exc).__name__}") from exc


def _encrypted(plain: socket.socket, host: str) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    # A duplicate, because the wrapped socket takes over the descriptor, and shutting down the plain one must end both.
    return context.wrap_socket(plain.dup(), server_hostname=host)


def _connect(host: str, port: int, until: float, is_allowed: Callable[[Address], bool]) -> socket.socket:
    """Resolve a host, check all of its addresses, and connect to the first one that accepts."""
    try:
        found = _resolved(host, port, until)
    except TimeoutError:
        raise
    except (OSError, UnicodeError) as exc:
        raise RequestError(f"{host} has no address") from exc
    addresses = [ipaddress.ip_address(str(address[0]).partition("%")[0]) for *_, address in found]
    if not addresses or not all(is_allowed(address) for address in addresses):
        raise RequestError(f"{host} is not a public address; images from private networks are not fetched")
    for address in addresses:
        try:
            connected = socket.create_connection((str(address), port), max(0.001, until - time.monotonic()))
        except OSError as exc:
            last = exc
        else:
            connected.settimeout(max(0.001, until - time.monotonic()))
            return connected
    raise last


def _resolved(host: str, port: int, until: float) -> list[Any]:
    """Return the addresses of a host; the system's call has no time limit, so it runs in a thread."""
    found: Future[list[Any]] = Future()

    def resolve() -> None:
        try:
            found.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except Exception as exc:  # raised again by the call of result
            found.set_exception(exc)

    threading.Thread(target=resolve, name="florence2-resolver", daemon=True).start()
    return found.result(max(0.0, until - time.monotonic()))


def _content(response: http.client.HTTPResponse, host: str, most_bytes: int) -> bytes:
    content = bytearray()
    if (response.length or 0) <= most_bytes:
        while piece := response.read(_PIECE):
            content += piece
            if len(content) > most_bytes:
                break
        else:
            if response.length:
                raise http.client.IncompleteRead(b"")
            return bytes(content)
    raise TooLargeError(f"the image of {host} has more than {most_bytes / 1e6:g} MB")
