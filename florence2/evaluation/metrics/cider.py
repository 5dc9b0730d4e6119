"""``CIDErMetric``: the wording that a caption shares with its references but not with those of other images.

Source: Vedantam et al., CIDEr: Consensus-based Image Description Evaluation (arXiv 1411.5726), equations 1 to 4 and the
variant D of section 7; the scores are those of the program of the COCO caption challenge (pycocoevalcap). Only the
words differ: that program cuts texts with a tokenizer in Java, here they are ``caption_words``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from florence2.codec import AnswerKind
from florence2.evaluation.metrics.captions import caption_words
from florence2.evaluation.metrics.metric import WORDS, Metric, check_plain, references, weighted_ratio
from florence2.evaluation.metrics.score import Score

__all__ = ["CIDErMetric", "cider_scores"]

_LONGEST = 4
"""Words of the longest n-gram."""
_SIGMA = 6.0
"""Words by which a caption may miss the length of a reference before that costs much."""
_SCALE = 10.0

_NGrams = Counter[tuple[str, ...]]


@dataclass(frozen=True)
class _Caption:
    """A caption as vectors of weighted n-grams, one for each n.

    Attributes:
        length: its words.
        vectors: the weight of each n-gram, for n from 1.
        norms: the Euclidean length of each vector.
    """

    length: int
    vectors: tuple[dict[tuple[str, ...], float], ...]
    norms: tuple[float, ...]


class CIDErMetric(Metric[str, str | Sequence[str]]):
    """CIDEr-D, from 0 to 10; the mean over captions."""

    name: ClassVar[str] = "cider"
    scores: ClassVar[tuple[Score, ...]] = (
        Score(name, "CIDEr", "wording shared with the references, rare words count more, 0 to 10", headline=True),
    )
    answer_kinds: ClassVar[tuple[AnswerKind, ...]] = WORDS
    default_for: ClassVar[tuple[AnswerKind | str, ...]] = (AnswerKind.TEXT,)
    scored_task: ClassVar[str] = "caption"

    def __init__(self) -> None:
        self._samples: list[tuple[list[str], list[list[str]]]] = []
        self._values: tuple[float, ...] | None = None

    def update(self, prediction: str, target: str | Sequence[str]) -> None:
        """Take one sample.

        Args:
            prediction: the model's caption without special tokens.
            target: the reference caption, or several.

        Raises:
            AnswerError: the prediction still holds special tokens, or the target no reference.
        """
        expected = [caption_words(text) for text in references(target)]
        self._samples.append((caption_words(check_plain(prediction)), expected))
        self._values = None

    def compute(self) -> dict[str, float]:
        """Return the mean; nothing for fewer than two samples, in which no word is rare."""
        values = self.values()
        return {self.name: math.fsum(values) / len(values)} if len(values) > 1 else {}

    def values(self) -> tuple[float, ...]:
        """Return the value of each sample; NaN for a single one.

        How rare a word is follows from the references of all samples.
        """
        if self._values is None:
            self._values = (math.nan,) if len(self._samples) == 1 else tuple(cider_scores(self._samples))
        return self._values

    def resampled(self, weights: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """Return the mean for each row of weights (r, n); how rare a word is stays that of the whole set."""
        return {self.name: weighted_ratio(weights, self.values(), np.ones(len(self._samples)))}

    def counts(self) -> dict[str, int]:
        """Return the number of samples."""
        return {"answers": len(self._samples)}

    def reset(self) -> None:
        """Forget all samples."""
        self._samples.clear()
        self._values = None

    def describe(self) -> str:
        """Say what the score means."""
        return (
            "CIDEr-D from 0 to 10: word sequences shared with the references, those that are rare in the set weighing "
            "more. Case and punctuation do not matter. Depends on the set: compare only on the same one."
        )


def cider_scores(samples: Sequence[tuple[Sequence[str], Sequence[Sequence[str]]]]) -> list[float]:
    """Return the CIDEr-D of captions.

    Args:
        samples: for each image the words of the caption and those of each reference.

    Returns:
        A value in 0..10 for each.
    """
    counted = [(_ngrams(words), [_ngrams(reference) for reference in expected]) for words, expected in samples]
    images: _NGrams = Counter()
    for _, expected in counted:
        images.update(set().union(*expected))
    rarity = {ngram: math.log(len(samples) / count) for ngram, count in images.items()}
    unseen = math.log(len(samples)) if samples else 0.0
    scores = []
    for ngrams, expected in counted:
        caption = _weighted(ngrams, rarity, unseen)
        scores.append(_SCALE * _mean([_similarity(caption, _weighted(ref, rarity, unseen)) for ref in expected]))
    return scores


def _ngrams(words: Sequence[str]) -> _NGrams:
    return Counter(
        tuple(words[start : start + n]) for n in range(1, _LONGEST + 1) for start in range(len(words) - n + 1)
    )


def _weighted(ngrams: _NGrams, rarity: dict[tuple[str, ...], float], unseen: float) -> _Caption:
    vectors: tuple[dict[tuple[str, ...], float], ...] = tuple({} for _ in range(_LONGEST))
    for ngram, count in ngrams.items():
        vectors[len(ngram) - 1][ngram] = count * rarity.get(ngram, unseen)
    norms = tuple(math.sqrt(math.fsum(weight * weight for weight in vector.values())) for vector in vectors)
    return _Caption(sum(count for ngram, count in ngrams.items() if len(ngram) == 1), vectors, norms)


def _similarity(caption: _Caption, reference: _Caption) -> float:
    """Return the mean over n of the clipped cosine, less where the lengths differ."""
    cosines = []
    for n in range(_LONGEST):
        ours, theirs = caption.vectors[n], reference.vectors[n]
        shared = math.fsum(
            min(weight, theirs[ngram]) * theirs[ngram] for ngram, weight in ours.items() if ngram in theirs
        )
        norm = caption.norms[n] * reference.norms[n]
        cosines.append(shared / norm if norm else 0.0)
    return _mean(cosines) * math.exp(-((caption.length - reference.length) ** 2) / (2 * _SIGMA**2))


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
