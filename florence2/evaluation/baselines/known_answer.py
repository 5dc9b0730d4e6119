"""``KnownAnswer``: a prompt of the training split with its answer, and how well a guess would have answered it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from florence2.codec import Task
from florence2.datasets import DatasetManifest
from florence2.evaluation.metrics.inputs import metric_inputs
from florence2.evaluation.metrics.metric import Metric

__all__ = ["KnownAnswer", "chosen_indices", "known_answers", "score_guesses"]


@dataclass(frozen=True)
class KnownAnswer:
    """A prompt of the training split with its answer.

    Attributes:
        text: what follows the task token in the prompt: a question, a phrase; empty where the task takes none.
        answer: the annotated answer.
        resolution_wh: width and height of the image in pixels.
    """

    text: str
    answer: str
    resolution_wh: tuple[int, int]


def known_answers(train: DatasetManifest) -> dict[str, list[KnownAnswer]]:
    """Return prompts and answers of a training split by the token of their task; no image is read.

    Args:
        train: the training split; rows whose image cannot be read are left out, as in the training.
    """
    table = train.table[train.table["image_error"].isna()]
    known: dict[str, list[KnownAnswer]] = {}
    columns = zip(table["prefix"], table["suffix"], table["width"], table["height"], strict=True)
    for prefix, suffix, width, height in columns:
        task, text = train.tasks.split_prefix(prefix)
        known.setdefault(task.token, []).append(KnownAnswer(text, suffix, (int(width), int(height))))
    return known


def chosen_indices(count: int, most: int) -> NDArray[np.int64]:
    """Return the indices of at most so many of ``count`` items, in order; equal numbers give equal indices."""
    if count <= most:
        return np.arange(count, dtype=np.int64)
    return np.sort(np.random.default_rng(0).choice(count, most, replace=False))


def score_guesses(
    task: Task, metric: type[Metric[Any, Any]], known: Sequence[KnownAnswer], guess: Callable[[int, KnownAnswer], str]
) -> float:
    """Return what guesses are worth on known answers: the metric's first score, larger is better.

    Args:
        task: of the answers.
        metric: by which guesses are compared.
        known: the answers.
        guess: returns the guess for an answer by its index and its prompt.

    Returns:
        The score, negative where smaller ones are better; minus infinity where it is not defined.
    """
    computed = metric()
    for index, each in enumerate(known):
        pair = metric_inputs(task.answer, guess(index, each), None, each.answer, each.resolution_wh)
        computed.update(*pair)
    score = metric.declared_scores()[0]
    value = computed.compute().get(score.name, -np.inf)
    return value if score.higher_is_better or not np.isfinite(value) else -value
