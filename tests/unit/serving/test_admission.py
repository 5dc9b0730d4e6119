"""Limits of requests: their number at a time, and the size of their bodies, announced or not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.responses import PlainTextResponse, Response

from florence2.errors import RequestError, TooLargeError
from florence2.serving.admission import Admission


async def read_all(scope: Any, receive: Any, send: Any) -> None:
    """An application that reads its body."""
    while (await receive()).get("more_body"):
        await asyncio.sleep(0)
    await PlainTextResponse("ok")(scope, receive, send)


def refuse(problem: RequestError) -> Response:
    return PlainTextResponse(str(problem), 413 if isinstance(problem, TooLargeError) else 503)


def admission(most_requests: int = 2) -> Admission:
    return Admission(read_all, most_requests=most_requests, most_bytes=10, refuse=refuse)


async def status_of(app: Admission, *body: bytes, length: int | None = None, method: str = "POST") -> int:
    """Send a request in pieces, and return the status of its answer."""
    headers = [] if length is None else [(b"content-length", str(length).encode())]
    pieces = [{"type": "http.request", "body": piece, "more_body": True} for piece in body]
    pieces.append({"type": "http.request", "body": b"", "more_body": False})
    statuses: list[int] = []

    async def receive() -> Any:
        return pieces.pop(0)

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app({"type": "http", "method": method, "headers": headers}, receive, send)
    return statuses[0]


def test_a_body_within_the_limit_passes() -> None:
    assert asyncio.run(status_of(admission(), b"12345", b"67890", length=10)) == 200


def test_an_announced_length_above_the_limit_is_refused_before_the_body_is_read() -> None:
    assert asyncio.run(status_of(admission(), length=11)) == 413


def test_a_body_that_is_longer_than_announced_ends_at_the_limit() -> None:
    with pytest.raises(TooLargeError, match="send smaller images"):
        asyncio.run(status_of(admission(), b"12345", b"67890", b"1", length=3))


def test_requests_above_the_limit_are_refused_and_those_without_a_body_pass() -> None:
    async def together() -> list[int]:
        app = admission(most_requests=1)
        posts = [status_of(app, b"1", b"2", b"3") for _ in range(2)]
        return list(await asyncio.gather(*posts, status_of(app, method="GET")))

    assert asyncio.run(together()) == [200, 503, 200]
