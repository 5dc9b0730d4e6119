"""``evaluate_baseline``: the scores of the best answers without seeing the image.

A score says nothing by itself: of yes-no questions half are right by chance, and where each photograph shows one large
object, a box around the middle is right in most. The baseline is what such guesses are worth. It is fitted on the
training split alone, answers the prompts of the test split, and its answers go through the metrics of a model's.

=====================  ==============================================================================================
answers                guess
=====================  ==============================================================================================
boxes, proposals       the same few boxes for every image, see ``ConstantBoxes``
answers to questions   the most frequent answer: overall, by the first word or by the text, see ``FrequentAnswers``
answers in JSON        the most frequent value of each field, see ``FrequentFields``
other texts, regions   one training answer for all, or the empty one, see ``ConstantText``
=====================  ==============================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from florence2.codec import AnswerKind, Detections, Task
from florence2.config import EvaluationConfig
from florence2.datasets import DatasetManifest
from florence2.evaluation.baselines.constant_boxes import ConstantBoxes
from florence2.evaluation.baselines.constant_text import ConstantText
from florence2.evaluation.baselines.frequent_answers import FrequentAnswers
from florence2.evaluation.baselines.frequent_fields import FrequentFields
from florence2.evaluation.baselines.known_answer import KnownAnswer, known_answers
from florence2.evaluation.evaluate import SplitEvaluation, evaluate_predictions, readable_rows
from florence2.evaluation.metrics.registry import metrics_for
from florence2.inference import Prediction
from florence2.model import samples_of

__all__ = ["BASELINE", "Baseline", "evaluate_baseline"]

BASELINE = "without the image"
"""What reports call the answers of the baseline."""

_BOXES = (AnswerKind.BOXES, AnswerKind.PROPOSALS)


class _Guesser(Protocol):
    def guess(self, text: str, resolution_wh: tuple[int, int]) -> tuple[str, Detections | None]:
        """Return the answer to a prompt, and its boxes where it has any."""


_FITTED_BY_KIND: Mapping[AnswerKind, Callable[..., _Guesser]] = {
    AnswerKind.ANSWER: FrequentAnswers.fit,
    AnswerKind.JSON: FrequentFields.fit,
}


@dataclass(frozen=True)
class Baseline:
    """Answers to prompts without their images.

    Attributes:
        guessers: what answers the prompts of each task, by its token.
    """

    guessers: Mapping[str, _Guesser]

    @classmethod
    def fit(cls, train: DatasetManifest, config: EvaluationConfig) -> Baseline:
        """Choose the answers that are best on the training split; no image is read.

        Args:
            train: the training split.
            config: metrics; guesses are compared by the first one of a task.

        Raises:
            AnswerError: a prompt begins with no task token.
            ConfigurationError: a metric is unknown.
        """
        return cls({token: _fit(train.tasks[token], known, config) for token, known in known_answers(train).items()})

    def answer(self, task: Task, text: str, resolution_wh: tuple[int, int]) -> Prediction:
        """Return the answer to a prompt; an empty one where the training split has no such task.

        Args:
            task: of the prompt.
            text: what follows the task token in the prompt.
            resolution_wh: width and height of the image in pixels: all that is known of it.
        """
        guesser = self.guessers.get(task.token)
        if guesser is not None:
            return Prediction(*guesser.guess(text, resolution_wh))
        return Prediction("", Detections.empty() if task.answer in _BOXES else None)


def _fit(task: Task, known: list[KnownAnswer], config: EvaluationConfig) -> _Guesser:
    if task.answer in _BOXES:
        return ConstantBoxes.fit(task, known)
    metric = next(iter(metrics_for(task, config.metrics)), None)
    fit: Callable[..., _Guesser] = _FITTED_BY_KIND.get(task.answer, ConstantText.fit)
    return fit(task, metric, known)


def evaluate_baseline(train: DatasetManifest, test: DatasetManifest, config: EvaluationConfig) -> SplitEvaluation:
    """Evaluate the best answers without seeing the image.

    Args:
        train: the training split, on which the answers are chosen. It may be empty: then they are empty, too.
        test: the split to evaluate on. Its images and answers do not influence the guesses, except for the size of
            an image, to which boxes are scaled.
        config: metrics.

    Returns:
        An evaluation as that of a model on the same samples, in the same order: ``describe`` gives its intervals, and
        ``paired_comparison`` compares a model with it.

    Raises:
        ConfigurationError: a metric is unknown or evaluates no task of the split.
        DatasetError: the split to evaluate on is empty, or no image can be read.
    """
    baseline = Baseline.fit(train, config)
    samples = samples_of(readable_rows(test))
    predictions = [
        baseline.answer(*sample.tasks.split_prefix(sample.prefix), sample.resolution_wh) for sample in samples
    ]
    return evaluate_predictions(BASELINE, test, samples, predictions, config)
