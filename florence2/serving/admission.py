"""The door of the server: so many requests at a time, each of at most so many bytes, counted while they arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from florence2.errors import OverloadedError, RequestError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Admission"]


class Admission:
    """ASGI middleware in front of the requests that cost something, those with a body.

    A request that is refused is refused before its body is read, where its length is announced; one that turns out to
    be longer than it may be ends there. So the memory stays flat.

    Args:
        app: what answers.
        most_requests: that are inside at a time.
        most_bytes: of a body.
        refuse: makes the answer to a request that is refused.
    """

    def __init__(
        self, app: ASGIApp, *, most_requests: int, most_bytes: int, refuse: Callable[[RequestError], Response]
    ) -> None:
        self._app, self._most_requests, self._most_bytes = app, most_requests, most_bytes
        self._refuse = refuse
        self._inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        problem = self._problem(scope)
        if problem is not None:
            await self._refuse(problem)(scope, receive, send)
            return
        self._inside += 1
        try:
            await self._app(scope, self._counted(receive), send)
        finally:
            self._inside -= 1

    def _problem(self, scope: Scope) -> RequestError | None:
        length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if length.isdigit() and int(length) > self._most_bytes:
            return self._too_large()
        if self._inside >= self._most_requests:
            return OverloadedError(f"{self._inside} requests are worked on; ask again later", retry_seconds=1)
        return None

    def _counted(self, receive: Receive) -> Receive:
        arrived = 0

        async def counted() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > self._most_bytes:
                raise self._too_large()
            return message

        return counted

    def _too_large(self) -> TooLargeError:
        return TooLargeError(f"the request has more than {self._most_bytes / 1e6:g} MB; send smaller images")
