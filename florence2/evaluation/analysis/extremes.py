"""The samples that a person looks at first: the worst of a model, and the best for comparison."""

from __future__ import annotations

from collections.abc import Sequence

from florence2.evaluation.evaluated_sample import EvaluatedSample
from florence2.evaluation.scores import score_named

__all__ = ["extremes"]


def extremes(samples: Sequence[EvaluatedSample], worst: int, best: int) -> tuple[list[int], list[int]]:
    """Choose samples by their value, those with boxes and those with other answers separately.

    Of equal values an image with more true boxes comes first, then the earlier sample.

    Args:
        samples: of a split.
        worst: greatest number of samples of each kind; samples without a fault are not among them.
        best: greatest number of samples of each kind; those with the value 0 are not among them.

    Returns:
        Indices of the worst samples, the worst first, and of the best, the best first; no index is in both.
    """
    low: list[int] = []
    high: list[int] = []
    for has_boxes in (True, False):
        indices = [
            i
            for i, sample in enumerate(samples)
            if (sample.boxes is not None) == has_boxes and sample.value is not None
        ]
        faulty = [i for i in indices if not _faultless(samples[i])]
        chosen = sorted(faulty, key=lambda i: (_goodness(samples[i]), *_rank(samples, i)))[:worst]
        low += chosen
        rest = [i for i in set(indices).difference(chosen) if _goodness(samples[i]) > 0]
        high += sorted(rest, key=lambda i: (-_goodness(samples[i]), *_rank(samples, i)))[:best]
    return low, high


def _faultless(sample: EvaluatedSample) -> bool:
    return _goodness(sample) == 1 or sample.text == sample.target


def _goodness(sample: EvaluatedSample) -> float:
    """Return the value with larger as better; 1 is perfect for a share and for an error rate."""
    value = sample.value or 0.0
    return value if score_named(sample.score).higher_is_better else 1 - value


def _rank(samples: Sequence[EvaluatedSample], index: int) -> tuple[int, int]:
    boxes = samples[index].boxes
    return (0 if boxes is None else -len(boxes.target), index)
