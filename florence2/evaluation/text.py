"""Metrics of free text, captions and what is written in a picture: error rates and chrF.

Texts are compared after Unicode composition (NFC) and with runs of blanks as one blank; case counts.
All figures are of the split as a whole, not means over samples: a long text weighs more than a short one.
"""

from __future__ import annotations

import unicodedata
from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from rapidfuzz.distance import Levenshtein

from florence2.evaluation.metric import Metric, check_plain

__all__ = ["CharacterErrorRateMetric", "ChrFMetric", "WordErrorRateMetric"]


class _ErrorRateMetric(Metric[str, str]):
    """Edits (insertions, deletions, substitutions) needed, divided by the length of the references.

    Source: the Levenshtein distance, as in the word error rate of speech recognition.
    """

    higher_is_better: ClassVar[bool] = False

    def __init__(self) -> None:
        self._samples: list[tuple[int, int]] = []

    @staticmethod
    @abstractmethod
    def _units(text: str) -> Sequence[str]:
        """Split a text into what is counted."""

    def update(self, prediction: str, target: str) -> None:
        """Take one sample.

        Args:
            prediction: the model's text without special tokens.
            target: the reference text.

        Raises:
            AnswerError: the prediction still holds special tokens.
        """
        expected = self._units(_compose(target))
        edits = Levenshtein.distance(self._units(_compose(check_plain(prediction))), expected)
        self._samples.append((edits, len(expected)))

    def compute(self) -> dict[str, float]:
        """Return the rate, 0 and up (above 1 where much was invented); nothing where the references are empty."""
        length = sum(expected for _, expected in self._samples)
        return {self.name: sum(edits for edits, _ in self._samples) / length} if length else {}

    def counts(self) -> dict[str, int]:
        """Return the number of samples."""
        return {"answers": len(self._samples)}

    def reset(self) -> None:
        """Forget all samples."""
        self._samples.clear()


class CharacterErrorRateMetric(_ErrorRateMetric):
    """Edited characters divided by the characters of the references; 0 is best."""

    name: ClassVar[str] = "character_error_rate"

    @staticmethod
    def _units(text: str) -> Sequence[str]:
        return text

    def describe(self) -> str:
        """Say what the figure means."""
        return "Characters to insert, delete or replace, divided by the characters of the references. Case counts."


class WordErrorRateMetric(_ErrorRateMetric):
    """Edited words divided by the words of the references; 0 is best."""

    name: ClassVar[str] = "word_error_rate"

    @staticmethod
    def _units(text: str) -> Sequence[str]:
        return text.split()

    def describe(self) -> str:
        """Say what the figure means."""
        return "Words to insert, delete or replace, divided by the words of the references. Case counts."


class ChrFMetric(Metric[str, str]):
    """chrF, the F-score of character n-grams (Popović, 2015), computed by sacrebleu over the whole split."""

    name: ClassVar[str] = "chrf"

    def __init__(self) -> None:
        self._predictions: list[str] = []
        self._targets: list[str] = []

    def update(self, prediction: str, target: str) -> None:
        """Take one sample.

        Args:
            prediction: the model's text without special tokens.
            target: the reference text.

        Raises:
            AnswerError: the prediction still holds special tokens.
        """
        self._predictions.append(_compose(check_plain(prediction)))
        self._targets.append(_compose(target))

    def compute(self) -> dict[str, float]:
        """Return chrF in 0..1, sacrebleu's figure divided by 100; nothing where the references are empty."""
        if not any(self._targets):
            return {}
        from sacrebleu.metrics.chrf import CHRF

        return {self.name: CHRF().corpus_score(self._predictions, [self._targets]).score / 100}

    def counts(self) -> dict[str, int]:
        """Return the number of samples."""
        return {"answers": len(self._targets)}

    def reset(self) -> None:
        """Forget all samples."""
        self._predictions.clear()
        self._targets.clear()

    def describe(self) -> str:
        """Say what the figure means."""
        return "chrF (sacrebleu, character n-grams up to 6, beta 2) from 0 to 1: how much of the wording is shared."


def _compose(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
