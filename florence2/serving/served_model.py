"""``ServedModel``: a version of a model with all that it needs to answer requests: reader, queue, decoder."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

from florence2.config import ServingConfiguration
from florence2.inference import Batcher, Prediction, Predictor, PreparedPrompt, RequestImageReader

if TYPE_CHECKING:
    from florence2.model import Florence2

__all__ = ["ServedModel"]


@dataclass(frozen=True)
class ServedModel:
    """A model that answers requests.

    Attributes:
        version: of the model.
        reader: reads and prepares the images and prompts of requests.
        batcher: holds the queue and answers it in batches.
    """

    version: str
    reader: RequestImageReader
    batcher: Batcher[PreparedPrompt, Prediction]

    @classmethod
    def of(
        cls,
        florence2: Florence2,
        version: str,
        settings: ServingConfiguration,
        observe: Callable[[int, float], None] | None = None,
    ) -> ServedModel:
        """Prepare a loaded model; it answers once, so that the first request does not take longer than others.

        Args:
            florence2: the model.
            version: of it.
            settings: of the server.
            observe: called with the size of each batch and the seconds that it took.
        """
        short = Predictor(florence2, settings.evaluation.model_copy(update={"max_new_tokens": 2}))
        grey = Image.new("RGB", (64, 64), (128, 128, 128))
        list(short.predict_prepared(short.prepare(grey, ["<OD>", "<CAPTION>"], grey.size)))
        answerer = Predictor(florence2, settings.evaluation)
        batcher = Batcher(
            answerer.predict_prepared, most=settings.serving.max_batch, room=settings.serving.queue, observe=observe
        )
        return cls(version, RequestImageReader(answerer, settings.limits), batcher)

    def submit(
        self, questions: Sequence[tuple[str | bytes, str]], until: float
    ) -> list[tuple[PreparedPrompt, Future[Prediction]]]:
        """Prepare the questions of a request and put them into the queue.

        Args:
            questions: images, see ``image_bytes``, with their prompts.
            until: time of ``time.monotonic`` at which they leave the queue unanswered; decoding counts, too.

        Returns:
            Each prepared question with the future of its answer.

        Raises:
            RequestError: they cannot be answered, or the queue is full.
            AnswerError: a prompt is not a task token with what belongs to it.
        """
        prepared = self.reader.read(questions)
        return list(zip(prepared, self.batcher.submit(prepared, until - time.monotonic()), strict=True))

    def close(self, *, wait: bool = False) -> None:
        """Answer what is in the queue, then end.

        Args:
            wait: return after the last answer, rather than immediately.
        """
        self.batcher.close(wait=wait)
