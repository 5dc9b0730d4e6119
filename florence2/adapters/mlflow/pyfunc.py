"""The registered model as MLflow runs it: an encoded picture and a prompt in, the answer out.

MLflow stores this file as source and runs it when the model is loaded; nothing is pickled.
"""

from __future__ import annotations

import io
from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from florence2.config import EvaluationConfig
from florence2.data.images.files import open_rgb
from florence2.inference.generation import predict
from florence2.model.base import Florence2, load_folder
from florence2.model.processing import Sample

__all__ = ["Florence2Model"]


class Florence2Model(PythonModel):
    """Answers prompts about pictures."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the weights that lie with the model."""
        self._florence2: Florence2 = load_folder(context.artifacts["model"])

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Answer each row.

        Args:
            context: not used.
            model_input: columns ``image`` (the bytes of an image file) and ``prompt`` (``<OD>``, ``<VQA>...``).
            params: not used.

        Returns:
            One column ``answer``: the text that Florence-2 wrote.
        """
        samples = []
        for image, prompt in zip(model_input["image"], model_input["prompt"], strict=True):
            stream = io.BytesIO(image)
            samples.append(Sample(stream, prompt, "", open_rgb(stream).size))
        answers = [prediction.text for prediction in predict(self._florence2, samples, EvaluationConfig())]
        return pd.DataFrame({"answer": answers}, index=model_input.index)


mlflow.models.set_model(Florence2Model())
