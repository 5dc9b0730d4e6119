"""The one interface of all metrics, and the base of those that are a mean over samples.

A metric sees one sample at a time and keeps what it needs of each; a score is computed once, over the whole
split. So no score depends on the order of samples, on how they were batched or on padding.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from florence2.codec import AnswerKind
from florence2.errors import AnswerError
from florence2.evaluation.metrics.score import Score

__all__ = ["WORDS", "AnswerMetric", "Metric", "SampleMeanMetric", "check_plain", "references", "weighted_ratio"]

WORDS = (AnswerKind.ANSWER, AnswerKind.TEXT)
"""Kinds of answers that are compared as texts."""

Prediction = TypeVar("Prediction")
Target = TypeVar("Target")


class Metric(ABC, Generic[Prediction, Target]):
    """Compares predictions with targets.

    Attributes:
        name: the public name, used in configurations and on the command line.
        scores: the scores that ``compute`` may return, each with its title and direction, in the order of reports.
            Empty: one score that has the metric's name, and larger is better.
        answer_kinds: the kinds of answers that it reads. ``update`` gets two ``Detections`` for ``BOXES`` and
            ``PROPOSALS``, the prediction with confidence and the target without; two ``Quads`` for ``QUADS``, two
            ``Polygons`` for ``POLYGONS``, two texts for ``ANSWER``, ``TEXT`` and ``JSON``.
        default_for: the kinds of answers, and the tokens of tasks, that it evaluates where a configuration names no
            metrics; a task whose token is here has no other defaults. Only metrics of this library are defaults.
        scored_task: the task of ``florence2 score`` for which it is computed; only for metrics of texts.
    """

    name: ClassVar[str]
    scores: ClassVar[tuple[Score, ...]] = ()
    answer_kinds: ClassVar[tuple[AnswerKind, ...]] = ()
    default_for: ClassVar[tuple[AnswerKind | str, ...]] = ()
    scored_task: ClassVar[str] = ""

    @classmethod
    def declared_scores(cls) -> tuple[Score, ...]:
        """Return every score that ``compute`` may return; a class that inherits them has its own name in them."""
        owner = next(kind for kind in cls.__mro__ if issubclass(kind, Metric) and "scores" in vars(kind))
        inherited = (replace(score, name=cls.name) if score.name == owner.name else score for score in owner.scores)
        return tuple(inherited) or (Score(cls.name, cls.name),)

    @abstractmethod
    def update(self, prediction: Prediction, target: Target) -> None:
        """Take one sample.

        Raises:
            AnswerError: the sample cannot be evaluated; the metric is unchanged.
        """

    @abstractmethod
    def compute(self) -> dict[str, float]:
        """Return the scores over all samples since the last reset.

        A score that the samples do not define (no sample at all, no object of that size) is absent: neither a
        false 0, which would look like a bad model, nor COCO's -1, which would spoil every mean taken of it.
        """

    @abstractmethod
    def reset(self) -> None:
        """Forget all samples."""

    @abstractmethod
    def describe(self) -> str:
        """Say in a sentence or two what the scores mean and which conventions they follow."""

    @abstractmethod
    def counts(self) -> dict[str, int]:
        """Return how much was evaluated, for example ``{"images": 40, "truths": 93}``."""

    def per_class(self) -> dict[str, dict[str, float]]:
        """Return scores by class name; empty where the metric knows no classes."""
        return {}

    def values(self) -> tuple[float, ...]:
        """Return the value of each sample for the first declared score, in the order of the updates.

        NaN where a sample defines no value, for example without a reference text; empty where a single sample has no
        value at all. The score need not be the mean of the values: an error rate weighs long texts more.
        """
        return ()

    def resampled(self, weights: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:  # noqa: ARG002
        """Return the scores of resamples of the samples, for intervals; weights of 1 give those of ``compute``.

        Args:
            weights: (r, n), how often each of the n samples, in the order of the updates, counts in each of the r
                resamples.

        Returns:
            For each score r values, NaN where a resample does not define it. Empty: no score can be resampled.
        """
        return {}

    def resampled_per_class(
        self,
        weights: NDArray[np.int64],  # noqa: ARG002
    ) -> dict[str, dict[str, NDArray[np.float64]]]:
        """Return the scores of resamples by class name; empty where the metric knows no classes."""
        return {}


class SampleMeanMetric(Metric[Prediction, Target]):
    """A metric whose score is the mean of one value for each sample, in 0..1."""

    def __init__(self) -> None:
        self._values: list[float] = []

    @abstractmethod
    def score(self, prediction: Prediction, target: Target) -> float:
        """Return the value of one sample, in 0..1."""

    def update(self, prediction: Prediction, target: Target) -> None:
        """Take one sample.

        Args:
            prediction: the answer of the model.
            target: the annotated answer.

        Raises:
            AnswerError: the sample cannot be evaluated.
        """
        self._values.append(self.score(prediction, target))

    def values(self) -> tuple[float, ...]:
        """Return the value of each sample, in the order of the updates."""
        return tuple(self._values)

    def compute(self) -> dict[str, float]:
        """Return the mean under the metric's name; nothing where there was no sample."""
        if not self._values:
            return {}
        # fsum is exact, so that the order of samples cannot show in the last digit.
        return {self.name: math.fsum(self._values) / len(self._values)}

    def resampled(self, weights: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """Return the weighted mean for each row of weights (r, n)."""
        return {self.name: weighted_ratio(weights, self._values, np.ones(len(self._values)))}

    def counts(self) -> dict[str, int]:
        """Return the number of samples."""
        return {"answers": len(self._values)}

    def reset(self) -> None:
        """Forget all samples."""
        self._values.clear()


class AnswerMetric(SampleMeanMetric[str, str | Sequence[str]]):
    """A mean over answers in words, each with one or several references.

    Example:
        >>> class FirstWordMetric(AnswerMetric):
        ...     name = "first_word"
        ...
        ...     def score(self, prediction, target):
        ...         return float(prediction.split()[:1] == references(target)[0].split()[:1])
        ...
        ...     def describe(self):
        ...         return "Share of answers whose first word is right."
        >>> metric = FirstWordMetric()
        >>> metric.update("two cards", "two dice")
        >>> metric.update("three", "four")
        >>> metric.compute()
        {'first_word': 0.5}
    """

    answer_kinds: ClassVar[tuple[AnswerKind, ...]] = WORDS

    def update(self, prediction: str, target: str | Sequence[str]) -> None:
        """Take one sample.

        Args:
            prediction: the model's answer without special tokens.
            target: the reference answer, or several.

        Raises:
            AnswerError: the prediction still holds special tokens, or the target no reference.
        """
        super().update(check_plain(prediction), target)


def weighted_ratio(weights: NDArray[np.int64], numerators: ArrayLike, denominators: ArrayLike) -> NDArray[np.float64]:
    """Return the ratio of two weighted sums for each resample.

    Args:
        weights: (r, n), how often each sample counts in each resample.
        numerators: (n,).
        denominators: (n,), none negative.

    Returns:
        Ratios (r,), NaN where the denominators sum up to 0.
    """
    top = weights @ np.asarray(numerators, dtype=np.float64)
    bottom = weights @ np.asarray(denominators, dtype=np.float64)
    ratios: NDArray[np.float64] = np.divide(top, bottom, out=np.full(len(weights), np.nan), where=bottom > 0)
    return ratios


def check_plain(prediction: str) -> str:
    """Return a prediction unchanged after making sure that no special token was left in it.

    Special tokens are in prediction and target alike and would make every text metric look better than it is.

    Raises:
        AnswerError: it starts with ``<s>``, ends with ``</s>`` or holds ``<pad>``.
    """
    text = prediction.strip()
    if text.startswith("<s>") or text.endswith("</s>") or "<pad>" in text:
        raise AnswerError(f"prediction {prediction!r} still holds special tokens; remove them before the evaluation")
    return prediction


def references(target: str | Sequence[str]) -> tuple[str, ...]:
    """Return the reference answers of a sample, one or several.

    Raises:
        AnswerError: there is none.
    """
    answers = (target,) if isinstance(target, str) else tuple(target)
    if not answers:
        raise AnswerError("a sample without a reference answer cannot be evaluated; add one")
    return answers
