"""Metrics of captions and descriptions by the words that they share with references: BLEU, chrF and ROUGE-L.

Texts are compared after Unicode composition (NFC) and with runs of blanks as one blank. A caption may have several
references. BLEU and chrF are of the split as a whole; ROUGE-L is a mean over captions.
"""

from __future__ import annotations

import math
import re
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq

from florence2.codec import AnswerKind
from florence2.evaluation.metrics.metric import WORDS, AnswerMetric, Metric, check_plain, references
from florence2.evaluation.metrics.score import Score
from florence2.evaluation.metrics.text import compose

__all__ = ["BLEUMetric", "ChrFMetric", "RougeLMetric", "caption_words"]

_WORD = re.compile(r"[^\W_]+")


def caption_words(text: str) -> list[str]:
    """Return the words of a caption in small letters, without punctuation.

    On English text these are the words of the package rouge-score; letters of other scripts are letters as well.
    """
    return _WORD.findall(compose(text).lower())


class _CorpusMetric(Metric[str, str | Sequence[str]]):
    """A metric of sacrebleu: statistics of each sample are added up, and the score is computed from their sum."""

    answer_kinds: ClassVar[tuple[AnswerKind, ...]] = WORDS

    def __init__(self) -> None:
        self._scorer = self._make_scorer()
        self._statistics: list[Sequence[float]] = []
        self._has_reference: list[bool] = []

    @staticmethod
    @abstractmethod
    def _make_scorer() -> Any:
        """Return the metric of sacrebleu."""

    def update(self, prediction: str, target: str | Sequence[str]) -> None:
        """Take one sample.

        Args:
            prediction: the model's text without special tokens.
            target: the reference text, or several.

        Raises:
            AnswerError: the prediction still holds special tokens, or the target no reference.
        """
        given = compose(check_plain(prediction))
        expected = [compose(text) for text in references(target)]
        # sacrebleu's own bootstrap works on these statistics; no public name leads to them.
        (statistics,) = self._scorer._extract_corpus_statistics([given], [[text] for text in expected])
        self._statistics.append(statistics)
        self._has_reference.append(any(expected))

    def _score(self, statistics: Sequence[float] | NDArray[np.float64]) -> float:
        return float(self._scorer._compute_score_from_stats(statistics).score) / 100

    def compute(self) -> dict[str, float]:
        """Return the score in 0..1, sacrebleu's divided by 100; nothing where the references are empty."""
        if not any(self._has_reference):
            return {}
        return {self.name: self._score(np.sum(self._statistics, axis=0))}

    def values(self) -> tuple[float, ...]:
        """Return the score of each sample alone; NaN where its reference is empty."""
        pairs = zip(self._statistics, self._has_reference, strict=True)
        return tuple(self._score(statistics) if expected else math.nan for statistics, expected in pairs)

    def resampled(self, weights: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """Return the score for each row of weights (r, n), from the weighted sums of the statistics."""
        sums = weights @ np.array(self._statistics) if self._statistics else np.zeros((len(weights), 0))
        defined = weights @ np.array(self._has_reference, dtype=np.int64) > 0
        scores = [self._score(row) if known else math.nan for row, known in zip(sums, defined, strict=True)]
        return {self.name: np.array(scores, dtype=np.float64)}

    def counts(self) -> dict[str, int]:
        """Return the number of samples."""
        return {"answers": len(self._statistics)}

    def reset(self) -> None:
        """Forget all samples."""
        self._statistics.clear()
        self._has_reference.clear()


class BLEUMetric(_CorpusMetric):
    """BLEU (Papineni et al., 2002), computed by sacrebleu over the whole split."""

    name: ClassVar[str] = "bleu"
    scores: ClassVar[tuple[Score, ...]] = (Score(name, "BLEU", "word sequences that occur in a reference, 0 to 1"),)
    default_for: ClassVar[tuple[AnswerKind | str, ...]] = (AnswerKind.TEXT,)
    scored_task: ClassVar[str] = "caption"

    @staticmethod
    def _make_scorer() -> Any:
        from sacrebleu.metrics.bleu import BLEU

        return BLEU()

    def describe(self) -> str:
        """Say what the score means."""
        return (
            "BLEU (sacrebleu, word n-grams up to 4, tokenizer 13a, exponential smoothing) from 0 to 1: how much of "
            "the answer occurs in a reference. Case counts."
        )


class ChrFMetric(_CorpusMetric):
    """chrF, the F-score of character n-grams (Popović, 2015), computed by sacrebleu over the whole split."""

    name: ClassVar[str] = "chrf"
    scores: ClassVar[tuple[Score, ...]] = (Score(name, "chrF", "shared wording letter by letter, 0 to 1"),)
    default_for: ClassVar[tuple[AnswerKind | str, ...]] = (AnswerKind.TEXT,)
    scored_task: ClassVar[str] = "caption"

    @staticmethod
    def _make_scorer() -> Any:
        from sacrebleu.metrics.chrf import CHRF

        return CHRF()

    def describe(self) -> str:
        """Say what the score means."""
        return "chrF (sacrebleu, character n-grams up to 6, beta 2) from 0 to 1: how much of the wording is shared."


class RougeLMetric(AnswerMetric):
    """ROUGE-L: the longest common subsequence of words, as F-score; the mean over captions.

    Source: Lin, ROUGE: A Package for Automatic Evaluation of Summaries (2004), with precision and recall of equal
    weight as in the package rouge-score; of several references the nearest counts.
    """

    name: ClassVar[str] = "rouge_l"
    scores: ClassVar[tuple[Score, ...]] = (Score(name, "ROUGE-L", "words shared in the same order, 0 to 1"),)
    default_for: ClassVar[tuple[AnswerKind | str, ...]] = (AnswerKind.TEXT,)
    scored_task: ClassVar[str] = "caption"

    def score(self, prediction: str, target: str | Sequence[str]) -> float:
        """Return the F-score to the nearest reference, in 0..1."""
        given = caption_words(prediction)
        return max(_common_share(given, caption_words(text)) for text in references(target))

    def describe(self) -> str:
        """Say what the score means."""
        return (
            "ROUGE-L from 0 to 1: the longest sequence of words that caption and nearest reference share in order, "
            "against the length of both. Case and punctuation do not matter."
        )


def _common_share(given: Sequence[str], expected: Sequence[str]) -> float:
    """Return the F-score of the longest common subsequence, 2 * common / (given + expected)."""
    length = len(given) + len(expected)
    return 2 * LCSseq.similarity(given, expected) / length if length else 0.0
