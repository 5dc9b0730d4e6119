"""The registered model as MLflow runs it: images and prompts in, answers with their boxes out.

MLflow stores this file as source and runs it when the model is loaded; nothing is pickled. The same code answers
``mlflow.pyfunc.load_model(...).predict`` and ``mlflow models serve``, whose server calls it from many threads: they are
answered in common batches. An invalid request raises an ``MlflowException``, which the server answers with status 400
and its message.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator
from typing import Any

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from florence2.config import EvaluationConfig, LimitsConfig
from florence2.errors import AnswerError, ConfigurationError, RequestError
from florence2.inference import Batcher, Prediction, Predictor, PreparedPrompt, RequestImageReader
from florence2.model import load_folder

__all__ = ["Florence2Model"]

_SERVING = "_MLFLOW_IS_IN_SERVING_ENVIRONMENT"
"""Set by MLflow's server: requests come from strangers then, and their length is limited."""

_FOREVER = 1e9


class Florence2Model(PythonModel):
    """Answers prompts about images."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the weights of the version; its configuration is a ``LimitsConfig``.

        Raises:
            ConfigurationError: a limit is unknown or invalid.
        """
        config = EvaluationConfig()
        try:
            self._limits = LimitsConfig(**(context.model_config or {}))
        except ValueError as exc:
            raise ConfigurationError(f"the model_config of this model: {exc}") from exc
        self._predictor = Predictor(load_folder(context.artifacts["model"]), config)
        self._reader = RequestImageReader(self._predictor, self._limits)
        self._chunk = config.eval_batch_size
        self._batcher: Batcher[PreparedPrompt, Prediction] = Batcher(
            self._predictor.predict_prepared, most=config.eval_batch_size, room=1 << 30
        )
        # Its thread would keep the weights in memory when this model is not used any more.
        weakref.finalize(self, self._batcher.close, wait=False)

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Answer each row.

        Args:
            context: not used.
            model_input: columns ``image`` (the file of an image: base64, or a URL where ``allow_urls`` is set; from
                Python also its bytes) and ``prompt`` (``<OD>``, ``<VQA>...``).
            params: not used.

        Returns:
            ``answer``, the generated text; ``score``, the mean probability of its tokens; ``truncated``, whether it
            reached the length limit; ``boxes``, its boxes as ``class``, ``score`` and ``xyxy`` in pixels, empty for
            prompts whose answer has no boxes.

        Raises:
            MlflowException: a row cannot be answered; names the row and the reason.
        """
        rows = list(zip(model_input["image"], model_input["prompt"], strict=True))
        if os.environ.get(_SERVING) and len(rows) > self._limits.max_questions:
            raise _bad_request(
                f"{len(rows)} rows in one request, at most {self._limits.max_questions} are allowed; split it"
            )
        answers = [prediction.to_dict() for prediction in self._answers(rows)]
        return pd.DataFrame(
            {
                "answer": pd.Series([answer["text"] for answer in answers], dtype=object),
                "score": [answer["score"] for answer in answers],
                "truncated": [answer["truncated"] for answer in answers],
                "boxes": pd.Series([answer.get("boxes", []) for answer in answers], dtype=object),
            }
        ).set_index(model_input.index)

    def _answers(self, rows: list[tuple[Any, Any]]) -> Iterator[Prediction]:
        """Yield the answers; one chunk of images is in memory at a time."""
        for start in range(0, len(rows), self._chunk):
            requests = []
            for index, (image, prompt) in enumerate(rows[start : start + self._chunk], start):
                if not isinstance(image, str | bytes) or not isinstance(prompt, str):
                    raise _bad_request(f"row {index}: image must be text (base64) or bytes, prompt must be text")
                try:
                    requests += self._reader.read([(image, prompt)])
                except (RequestError, AnswerError) as exc:
                    raise _bad_request(f"row {index}: {exc}") from exc
            futures = self._batcher.submit(requests, _FOREVER)
            yield from (future.result() for future in futures)


def _bad_request(problem: str) -> MlflowException:
    return MlflowException(problem, error_code=INVALID_PARAMETER_VALUE)


mlflow.models.set_model(Florence2Model())
