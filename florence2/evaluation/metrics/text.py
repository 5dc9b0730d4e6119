"""Metrics of text that is read in an image: character and word error rates.

Texts are compared after Unicode composition (NFC) and with runs of blanks as one blank; case counts.
The scores are of the split as a whole, not means over samples: a long text weighs more than a short one.
"""

from __future__ import annotations

import math
import unicodedata
from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from florence2.codec import AnswerKind
from florence2.evaluation.metrics.metric import WORDS, Metric, check_plain, references, weighted_ratio
from florence2.evaluation.metrics.score import Score

__all__ = ["CharacterErrorRateMetric", "WordErrorRateMetric", "compose"]


class _ErrorRateMetric(Metric[str, str | Sequence[str]]):
    """Edits (insertions, deletions, substitutions) needed, divided by the length of the references.

    Source: the Levenshtein distance, as in the word error rate of speech recognition.
    """

    answer_kinds: ClassVar[tuple[AnswerKind, ...]] = WORDS

    def __init__(self) -> None:
        self._edits: list[int] = []
        self._lengths: list[int] = []

    @staticmethod
    @abstractmethod
    def _units(text: str) -> Sequence[str]:
        """Split a text into the units that are counted."""

    def update(self, prediction: str, target: str | Sequence[str]) -> None:
        """Take one sample.

        Args:
            prediction: the model's text without special tokens.
            target: the reference text; of several the one with the fewest edits for its length.

        Raises:
            AnswerError: the prediction still holds special tokens, or the target no reference.
        """
        given = self._units(compose(check_plain(prediction)))
        expected = [self._units(compose(text)) for text in references(target)]
        compared = [(Levenshtein.distance(given, units), len(units)) for units in expected]
        edits, length = min(compared, key=lambda pair: (pair[0] / max(pair[1], 1), -pair[1]))
        self._edits.append(edits)
        self._lengths.append(length)

    def compute(self) -> dict[str, float]:
        """Return the rate, 0 and up (above 1 where much was added); nothing where the references are empty."""
        length = sum(self._lengths)
        return {self.name: sum(self._edits) / length} if length else {}

    def values(self) -> tuple[float, ...]:
        """Return the rate of each sample; NaN where its reference is empty."""
        pairs = zip(self._edits, self._lengths, strict=True)
        return tuple(edits / length if length else math.nan for edits, length in pairs)

    def resampled(self, weights: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """Return the rate for each row of weights (r, n)."""
        return {self.name: weighted_ratio(weights, self._edits, self._lengths)}

    def counts(self) -> dict[str, int]:
        """Return the number of samples."""
        return {"answers": len(self._lengths)}

    def reset(self) -> None:
        """Forget all samples."""
        self._edits.clear()
        self._lengths.clear()


class CharacterErrorRateMetric(_ErrorRateMetric):
    """Edited characters divided by the characters of the references; 0 is best."""

    name: ClassVar[str] = "character_error_rate"
    scores: ClassVar[tuple[Score, ...]] = (
        Score(name, "Character errors", "edits per character", headline=True, higher_is_better=False),
    )
    default_for: ClassVar[tuple[AnswerKind | str, ...]] = ("<OCR>", "<REGION_TO_OCR>")
    scored_task: ClassVar[str] = "ocr"

    @staticmethod
    def _units(text: str) -> Sequence[str]:
        return text

    def describe(self) -> str:
        """Say what the score means."""
        return "Characters to insert, delete or replace, divided by the characters of the references. Case counts."


class WordErrorRateMetric(_ErrorRateMetric):
    """Edited words divided by the words of the references; 0 is best."""

    name: ClassVar[str] = "word_error_rate"
    scores: ClassVar[tuple[Score, ...]] = (Score(name, "Word errors", "edits per word", higher_is_better=False),)
    default_for: ClassVar[tuple[AnswerKind | str, ...]] = ("<OCR>", "<REGION_TO_OCR>")
    scored_task: ClassVar[str] = "ocr"

    @staticmethod
    def _units(text: str) -> Sequence[str]:
        return text.split()

    def describe(self) -> str:
        """Say what the score means."""
        return "Words to insert, delete or replace, divided by the words of the references. Case counts."


def compose(text: str) -> str:
    """Return a text in Unicode's composed form (NFC), with each run of blanks as one blank and no blank at the ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())
