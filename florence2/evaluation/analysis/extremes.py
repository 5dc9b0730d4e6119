"""Which rows to look at first: the worst of a model, and the best for comparison."""

from __future__ import annotations

from collections.abc import Sequence

from florence2.evaluation.evaluated_sample import EvaluatedSample
from florence2.evaluation.scores import score_named

__all__ = ["extremes"]


def extremes(rows: Sequence[EvaluatedSample], worst: int, best: int) -> tuple[list[int], list[int]]:
    """Choose rows by their own value, those with boxes and those with other answers apart.

    Among equals an image with more true boxes comes first, then the earlier row.

    Args:
        rows: of a split.
        worst: greatest number of rows of each sort; rows without a fault are not among them.
        best: greatest number of rows of each sort; wholly wrong ones are not among them.

    Returns:
        Positions of the worst rows, the worst first, and of the best, the best first; none is in both.
    """
    low: list[int] = []
    high: list[int] = []
    for has_boxes in (True, False):
        places = [i for i, row in enumerate(rows) if (row.boxes is not None) == has_boxes and row.value is not None]
        faulty = [i for i in places if not _faultless(rows[i])]
        chosen = sorted(faulty, key=lambda i: (_goodness(rows[i]), *_rank(rows, i)))[:worst]
        low += chosen
        rest = [i for i in set(places).difference(chosen) if _goodness(rows[i]) > 0]
        high += sorted(rest, key=lambda i: (-_goodness(rows[i]), *_rank(rows, i)))[:best]
    return low, high


def _faultless(row: EvaluatedSample) -> bool:
    return _goodness(row) == 1 or row.text == row.target


def _goodness(row: EvaluatedSample) -> float:
    """Return the value so that more is better; 1 is perfect where the score is a share or a rate of errors."""
    value = row.value or 0.0
    return value if score_named(row.score).higher_is_better else 1 - value


def _rank(rows: Sequence[EvaluatedSample], index: int) -> tuple[int, int]:
    boxes = rows[index].boxes
    return (0 if boxes is None else -len(boxes.target), index)
