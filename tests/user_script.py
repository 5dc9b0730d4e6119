"""A script as a user writes it, for type checkers alone: what is right passes, and what is wrong is found.

``make check`` reads it, and ``tests/integration/test_user_types.py`` as somebody who has installed the package.
"""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

import numpy as np
from PIL import Image

import florence2
from florence2 import (
    Checkpoint,
    Configuration,
    Detections,
    EpochRecord,
    EvaluationReport,
    MeanAveragePrecisionMetric,
    Model,
    ModelEvaluation,
    Prediction,
    TrainingResult,
    load,
    train,
)


def training() -> None:
    """Train, and read the result."""
    result = train(Configuration(dataset=Path("my/cards"), epochs=10, metrics=[MeanAveragePrecisionMetric()]))
    assert_type(result, TrainingResult)
    assert_type(result.checkpoint, Checkpoint)
    assert_type(result.checkpoint.folder, Path)
    assert_type(result.latest.epoch, float)
    assert_type(result.metrics["map50"], float)
    assert_type(result.report, EvaluationReport)
    assert_type(result.best, EpochRecord)
    assert_type(result.best.metrics["map50"], float)
    assert_type(result.best.seconds, float | None)
    assert_type(result.history.epochs, tuple[EpochRecord, ...])
    assert_type(result.history.series("map50"), dict[int, float])
    assert_type(result.load(), Model)
    train({"dataset": "my/cards", "epochs": 3}, "runs", resume=True, sink=lambda numbers, step: None)


def answering(image: Image.Image) -> None:
    """Predict for one image and for several."""
    model = load("runs/1", device="cpu")
    assert_type(model.predict("a.png", "<VQA>How many?", num_beams=3), Prediction)
    assert_type(model.predict(image).text, str)
    assert_type(model.predict([image, image]), list[Prediction])
    assert_type(model.predict(["a.png", "b.png"]), list[Prediction])
    assert_type(model.detect(np.zeros((4, 4, 3), dtype=np.uint8), min_confidence=0.3), Detections)
    assert_type(model.detect([Path("a.png")]), list[Detections])
    assert_type(model.evaluate({"dataset": "my/cards"}, "valid"), ModelEvaluation)
    assert_type(florence2.__version__, str)


def mistakes() -> None:
    """Each line holds a mistake that the types show."""
    Configuration(epochs="ten")  # type: ignore[arg-type]
    Configuration(epohcs=10)  # type: ignore[call-arg]
    Configuration(strategy="qlora")  # type: ignore[arg-type]
    Configuration(metrics="mean_average_precision", grammar=None)  # type: ignore[arg-type]
    train(10)  # type: ignore[arg-type]
    load("runs/1").predict("a.png", beams=3)  # type: ignore[call-overload]
    _ = load("runs/1").predict("a.png").boxes  # type: ignore[attr-defined]
