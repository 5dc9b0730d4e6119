"""A version of a model with all that it needs to answer requests: reader, decoder, and the queue in front of it."""

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
        reader: makes questions ready.
        batcher: answers them.
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
        """Make a loaded model ready; it answers once, so that the first request does not wait longer than others.

        Args:
            florence2: the model.
            version: of it.
            settings: of the server.
            observe: is told the size of each batch and the seconds that it took.
        """
        short = Predictor(florence2, settings.evaluation.model_copy(update={"max_new_tokens": 2}))
        grey = Image.new("RGB", (64, 64), (128, 128, 128))
        list(short.predict_prepared(short.prepare(grey, ["<OD>", "<CAPTION>"], grey.size)))
        answerer = Predictor(florence2, settings.evaluation)
        batcher = Batcher(
            answerer.predict_prepared, most=settings.serving.max_batch, room=settings.serving.queue, observe=observe
        )
        return cls(version, RequestImageReader(answerer, settings.limits), batcher)

    def ask(
        self, questions: Sequence[tuple[str | bytes, str]], until: float
    ) -> list[tuple[PreparedPrompt, Future[Prediction]]]:
        """Make the questions of a request ready and let them wait for their answers.

        Args:
            questions: images, see ``image_bytes``, with their prompts.
            until: time of ``time.monotonic`` at which they no longer wait; decoding takes its part of it.

        Raises:
            RequestError: they cannot be answered, or too many wait.
            AnswerError: a prompt is not a task token with what belongs to it.
        """
        asked = self.reader.read(questions)
        return list(zip(asked, self.batcher.submit(asked, until - time.monotonic()), strict=True))

    def put_away(self) -> None:
        """Answer what waits, then end; returns at once."""
        self.batcher.close(wait=False)
