"""The result of a run of predictions: the answers with a ``summary.json``, and the counts on the terminal."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from uuid import UUID

from rich.console import Console
from zenml.client import Client
from zenml.utils import io_utils

from florence2.inference import ImagePredictions
from pipelines.summary import course_of

__all__ = ["write_prediction_summary"]

logger = logging.getLogger(__name__)


def write_prediction_summary(run_id: UUID, output: Path) -> int:
    """Copy the answers of a finished run, write ``summary.json`` and print it.

    The summary holds the counts of ``ImagePredictions``, ``executed_steps``, ``cached_steps``, ``seconds``,
    ``predictions``.

    Args:
        run_id: the ZenML run.
        output: folder for ``summary.json`` and the folder ``predictions``; made if absent.

    Returns:
        The exit status, 0.
    """
    run = Client().get_pipeline_run(run_id)
    (artifacts,) = run.steps["predict_images"].outputs.values()
    found: ImagePredictions = artifacts[0].load()
    answers = output / "predictions"
    io_utils.copy_dir(artifacts[0].uri, str(answers), overwrite=True)
    summary = {**found.counts(), **course_of(run), "predictions": str(answers.absolute())}
    (output / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    for answer in found.answers:
        if answer.error is not None:
            logger.warning("%s: %s", answer.image, answer.error)
    console = Console()
    console.print(", ".join(f"{value} {name}" for name, value in found.counts().items()))
    console.print(f"answers  {summary['predictions']}", soft_wrap=True)
    return 0
