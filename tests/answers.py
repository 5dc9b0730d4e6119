"""Data sets of one task and evaluated answers to them, without images and models: what a training would have made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from florence2.codec import TASKS, AnswerKind, Detections, parse_detections
from florence2.config import EvaluationConfig
from florence2.datasets.manifest import DatasetManifest
from florence2.evaluation.evaluate import evaluate_predictions
from florence2.evaluation.evaluated import Evaluated, describe
from florence2.inference.generation import Prediction
from florence2.model.processing import samples_of
from tests.builders import manifest

__all__ = ["PRIMARY", "answers_of", "dataset", "evaluated", "shuffled"]

PRIMARY = {"<OD>": "map50", "<VQA>": "vqa_accuracy", "<CAPTION>": "cider"}
"""Tasks with the score by which their models are promoted."""

_COLORS, _SHAPES = ("red", "green", "blue", "yellow"), ("star", "disc", "bar", "ring", "cross")
_WIDTH, _HEIGHT = 100, 50


def dataset(token: str, train: int = 120, test: int = 60) -> DatasetManifest:
    """Return a set of one task whose answers differ from image to image: half of the questions ask for the colour."""
    rng = np.random.default_rng(7)
    rows = []
    for number in range(train + test):
        color, shape = rng.choice(_COLORS, p=[0.4, 0.3, 0.2, 0.1]), rng.choice(_SHAPES)
        left, top = rng.integers(0, 700, 2)
        question = ("what colour is it?", color) if number % 2 else ("which shape is it?", shape)
        prefix, suffix = {
            "<OD>": ("<OD>", f"{shape}<loc_{left}><loc_{top}><loc_{left + 250}><loc_{top + 250}>"),
            "<VQA>": (f"<VQA>{question[0]}", question[1]),
            "<CAPTION>": ("<CAPTION>", f"a {color} {shape} left of a {rng.choice(_COLORS)} {rng.choice(_SHAPES)}"),
        }[token]
        split = "train" if number < train else "test"
        size = {"width": _WIDTH, "height": _HEIGHT}
        rows.append({"split": split, "task": token, "prefix": prefix, "suffix": str(suffix), **size})
    return manifest(*rows)


def answers_of(split: DatasetManifest) -> list[str]:
    """Return the annotated answers."""
    return [str(suffix) for suffix in split.table["suffix"]]


def shuffled(split: DatasetManifest) -> list[str]:
    """Return for each sample the answer to the same question about another image."""
    answers = answers_of(split)
    by_prompt: dict[str, list[int]] = {}
    for index, prefix in enumerate(split.table["prefix"]):
        by_prompt.setdefault(str(prefix), []).append(index)
    return [text for _, text in sorted((to, answers[of]) for same in by_prompt.values() for to, of in _moved(same))]


def _moved(indices: Sequence[int]) -> list[tuple[int, int]]:
    return list(zip(indices, [*indices[1:], indices[0]], strict=True))


def evaluated(split: DatasetManifest, answers: Sequence[str], config: EvaluationConfig) -> Evaluated:
    """Return the evaluation of a model that gives these answers to a split."""
    samples = samples_of(split)
    predictions = [
        Prediction(text, _boxes(text) if _has_boxes(sample.prefix) else None)
        for sample, text in zip(samples, answers, strict=True)
    ]
    return Evaluated(*describe(evaluate_predictions("model", split, samples, predictions, config), config))


def _boxes(text: str) -> Detections:
    boxes = parse_detections(text, (_WIDTH, _HEIGHT))
    return replace(boxes, confidence=np.ones(len(boxes), dtype=np.float32))


def _has_boxes(prefix: str) -> bool:
    return TASKS.task_of(prefix).answer is AnswerKind.BOXES
