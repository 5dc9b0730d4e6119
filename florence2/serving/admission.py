"""Limits the requests of a server: how many at a time, and how many bytes each, counted while they arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from florence2.errors import OverloadedError, RequestError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Admission"]


class Admission:
    """ASGI middleware in front of the expensive requests, those with a body.

    A request is refused before its body is read if its announced length is too large, and at the limit if the body is
    longer than announced. So the memory is bounded.

    Args:
        app: the application that answers.
        most_requests: largest number of requests at a time.
        most_bytes: largest size of a body.
        refuse: makes the response to a refused request.
    """

    def __init__(
        self, app: ASGIApp, *, most_requests: int, most_bytes: int, refuse: Callable[[RequestError], Response]
    ) -> None:
        self._app, self._most_requests, self._most_bytes = app, most_requests, most_bytes
        self._refuse = refuse
        self._active = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        problem = self._problem(scope)
        if problem is not None:
            await self._refuse(problem)(scope, receive, send)
            return
        self._active += 1
        try:
            await self._app(scope, self._counted(receive), send)
        finally:
            self._active -= 1

    def _problem(self, scope: Scope) -> RequestError | None:
        length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if length.isdigit() and int(length) > self._most_bytes:
            return self._too_large()
        if self._active >= self._most_requests:
            return OverloadedError(f"{self._active} requests are being answered; try again later", retry_seconds=1)
        return None

    def _counted(self, receive: Receive) -> Receive:
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._most_bytes:
                raise self._too_large()
            return message

        return counted

    def _too_large(self) -> TooLargeError:
        return TooLargeError(f"the request has more than {self._most_bytes / 1e6:g} MB; send smaller images")
