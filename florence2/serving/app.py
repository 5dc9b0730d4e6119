"""The HTTP routes of a served model: /predict for questions; health, version and metrics for operators."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from starlette.requests import ClientDisconnect

from florence2.config import ServingConfiguration, core_count
from florence2.errors import AnswerError, OverloadedError, RequestError, TimeLimitError, TooLargeError
from florence2.serving.admission import Admission
from florence2.serving.metrics import CONTENT_TYPE_LATEST, ServerMetrics
from florence2.serving.model_holder import ModelHolder
from florence2.serving.requests import OPENAPI_REQUEST, questions_of_form, questions_of_json
from florence2.serving.served_model import ServedModel

if TYPE_CHECKING:
    from florence2.adapters import ModelSource
    from florence2.inference import Prediction, PreparedPrompt
    from florence2.model import Florence2

__all__ = ["create_app"]

logger = logging.getLogger(__name__)

_LONGEST_MESSAGE = 2000
"""Characters: a message may hold a prompt, and a prompt may be as long as a request."""

_URL_THREADS = 32
"""Threads that prepare requests where some of them wait for other servers."""


class _DisconnectedError(RequestError):
    """The client has closed the connection."""


_STATUS: dict[type[Exception], int] = {
    TooLargeError: 413,
    _DisconnectedError: 499,  # as nginx counts them
    OverloadedError: 503,
    TimeLimitError: 504,
    RequestError: 400,
    AnswerError: 400,
}


class _Server:
    """The state that the routes share."""

    def __init__(self, source: ModelSource, settings: ServingConfiguration) -> None:
        self.settings = settings
        self.metrics = ServerMetrics()
        self.holder = ModelHolder(source, self._prepare, ServedModel.close)
        threads = _URL_THREADS if settings.limits.allow_urls else 2 * core_count()
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="florence2-requests")

    def _prepare(self, florence2: Florence2, version: str) -> ServedModel:
        return ServedModel.of(florence2, version, self.settings, self.metrics.count_batch)

    async def predict(self, request: Request) -> Response:
        """Answer a request, in every case, and count it."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(self.settings.serving.request_seconds):
                response = await self._answer(request, started + self.settings.serving.request_seconds)
        except TimeoutError:
            response = _refusal(TimeLimitError(f"no answer within {self.settings.serving.request_seconds:g} seconds"))
        except (RequestError, AnswerError) as exc:
            response = _refusal(exc)
        except ClientDisconnect:
            response = _refusal(_DisconnectedError("the client disconnected before it had sent the whole request"))
        except Exception as exc:  # the log has the traceback; neither the log nor the answer has what was sent
            logger.error("a request failed: %s", type(exc).__name__, exc_info=exc)
            response = _json({"error": "the model failed; the log of the server says more"}, 500)
        self.metrics.count_request(response.status_code, time.monotonic() - started)
        return response

    async def _answer(self, request: Request, until: float) -> Response:
        with self.holder.borrowed() as model:
            submitted = await self._submit(request, model, until)
            answers = await _answers_while_connected(request, [future for _, future in submitted])
            contents = [
                {"width": prepared.resolution_wh[0], "height": prepared.resolution_wh[1], **answer.to_dict()}
                for (prepared, _), answer in zip(submitted, answers, strict=True)
            ]
            return _json({"model": self.holder.source.name, "version": model.version, "answers": contents})

    async def _submit(
        self, request: Request, model: ServedModel, until: float
    ) -> list[tuple[PreparedPrompt, Future[Prediction]]]:
        """Read a request and put its questions into the queue; only the small images are kept, not the body."""
        questions: Callable[[], Sequence[tuple[str | bytes, str]]]
        if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
            questions = partial(tuple, await questions_of_form(request, self.settings.limits.max_questions))
        else:
            # Not request.body(): it keeps the body for as long as the request lasts.
            questions = partial(questions_of_json, b"".join([piece async for piece in request.stream()]))
        submit = partial(_submit_questions, model, questions, until)
        return await asyncio.get_running_loop().run_in_executor(self.pool, submit)

    def metrics_text(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        holder = self.holder
        with holder.borrowed() as model:
            waiting = model.batcher.waiting
        return self.metrics.text(
            waiting=waiting,
            name=holder.source.name,
            version=holder.version,
            loads=holder.loads,
            failures=holder.failures,
        )


def _submit_questions(
    model: ServedModel, questions: Callable[[], Sequence[tuple[str | bytes, str]]], until: float
) -> list[tuple[PreparedPrompt, Future[Prediction]]]:
    """Put questions into the queue until the time limit of their request, which may pass while images are decoded."""
    return model.submit(questions(), until)


async def _answers_while_connected(request: Request, futures: Sequence[Future[Any]]) -> Sequence[Any]:
    """Return the answers; if one fails, the client disconnects or the time passes, the others leave the queue."""
    answers = asyncio.gather(*(asyncio.wrap_future(future) for future in futures))
    disconnected = asyncio.ensure_future(request.receive())
    first: set[asyncio.Future[Any]] = {answers, disconnected}
    try:
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if not answers.done():
            raise _DisconnectedError("the client disconnected")
        return await answers
    finally:
        disconnected.cancel()
        answers.cancel()
        for future in futures:  # gather does not cancel the others where one has failed
            future.cancel()


def _refusal(problem: Exception) -> Response:
    response = _json(
        {"error": str(problem)[:_LONGEST_MESSAGE]}, next(_STATUS[kind] for kind in _STATUS if isinstance(problem, kind))
    )
    if isinstance(problem, OverloadedError):
        response.headers["Retry-After"] = str(problem.retry_seconds)
    return response


def _json(content: Any, status: int = 200) -> Response:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, media_type="application/json")


def create_app(source: ModelSource, settings: ServingConfiguration) -> FastAPI:
    """Load a model and return the application that serves it.

    Args:
        source: where the model comes from.
        settings: of the server.

    Raises:
        Florence2Error: the model cannot be found or loaded.
    """
    from importlib.metadata import version

    server = _Server(source, settings)
    holder = server.holder

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:  # noqa: ARG001
        holder.follow(settings.serving.poll_seconds)
        yield
        server.pool.shutdown(wait=False, cancel_futures=True)
        with holder.borrowed() as model:
            holder.close()
            model.close(wait=True)  # a batch that torch computes while Python ends would abort the process

    # FastAPI's documentation pages load their scripts from another host: without internet they are empty.
    app = FastAPI(
        title="florence2", version=version("florence2-finetune"), lifespan=lifespan, docs_url=None, redoc_url=None
    )

    def refuse(problem: RequestError) -> Response:
        response = _refusal(problem)
        server.metrics.count_request(response.status_code, 0.0)
        return response

    app.add_middleware(
        Admission,
        most_requests=settings.serving.queue,
        most_bytes=settings.limits.max_bytes,
        refuse=refuse,
    )

    @app.post("/predict", openapi_extra=OPENAPI_REQUEST)
    async def predict(request: Request) -> Response:
        """Answer prompts about images: JSON with base64 or URLs, or files of a form."""
        return await server.predict(request)

    @app.get("/health")
    async def health() -> Response:
        """Report that the process runs."""
        return _json({"status": "ok"})

    @app.get("/ready")
    async def ready() -> Response:
        """Report whether requests are answered: the model is loaded and its queue has room."""
        with holder.borrowed() as model:
            full = model.batcher.waiting >= settings.serving.queue
        return _json({"status": "full" if full else "ready"}, 503 if full else 200)

    @app.get("/version")
    async def which() -> Response:
        """Report which version of the model answers, and why a newer one does not."""
        return _json(
            {
                "model": holder.source.name,
                "version": holder.version,
                "problem": holder.problem,
                "package": app.version,
            }
        )

    @app.get("/metrics")
    async def metrics() -> Response:
        """Return the metrics for Prometheus."""
        return Response(server.metrics_text(), media_type=CONTENT_TYPE_LATEST)

    return app
