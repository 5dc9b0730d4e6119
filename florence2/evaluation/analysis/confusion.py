"""Which class is predicted for which: a confusion matrix of boxes, with missed and invented ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from florence2.codec import box_iou
from florence2.evaluation.matching import MatchedImage

__all__ = ["Confusion", "Mistake", "confusion"]

_OVERLAP = 0.5
_BACKGROUND, _OTHER, _UNKNOWN = "(background)", "(other classes)", "(no class of the set)"
_MISTAKES = 10


@dataclass(frozen=True)
class Mistake:
    """How often boxes of one class were predicted as another.

    Attributes:
        truth: the class.
        prediction: the predicted class.
        count: how often.
    """

    truth: str
    prediction: str
    count: int


@dataclass(frozen=True)
class Confusion:
    """True classes against predicted ones.

    Each true box is counted once in its row and each predicted one once in its column, so that rows sum to truths
    and columns to predictions; the corner of both backgrounds is empty.

    Attributes:
        rows: true classes, then the background, for boxes predicted where no true box is.
        columns: predicted classes, names that are not classes of the split, then the background, for missed true boxes.
        counts: numbers of boxes, a tuple for each row.
        mistakes: the most frequent wrong names, of all classes.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    mistakes: tuple[Mistake, ...] = ()


def confusion(images: Sequence[MatchedImage], most: int = 24) -> Confusion | None:
    """Count which class was predicted for which.

    Boxes that are right by the metric (class and IoU 0.5) are on the diagonal. Of the others, a predicted and a true
    box that overlap by at least half are paired, the greatest overlap first: a wrong name. The rest was invented or
    missed.

    Args:
        images: of a split.
        most: classes with a row of their own, those with the most mistakes; the others share one.

    Returns:
        The matrix; None where there is no truth.
    """
    truths = Counter(name for image in images for name in image.target.class_name)
    if not truths:
        return None
    pairs = Counter(pair for image in images for pair in _pairs(image))
    classes = sorted(truths)
    if len(classes) > most:
        wrong = Counter(dict.fromkeys(classes, 0))
        for (truth, guess), count in pairs.items():
            if truth != guess:
                wrong.update({name: count for name in (truth, guess) if name is not None and name in truths})
        classes = sorted(name for name, _ in wrong.most_common(most))
    others = (_OTHER,) if len(classes) < len(truths) else ()
    rows = (*classes, *others, _BACKGROUND)
    columns = (*classes, *others, _UNKNOWN, _BACKGROUND)
    table = np.zeros((len(rows), len(columns)), dtype=np.int64)
    for (truth, guess), count in pairs.items():
        row = _index(truth, rows, truths)
        column = _index(guess, columns, truths)
        table[row, column] += count
    return Confusion(rows, columns, tuple(map(tuple, table.tolist())), _mistakes(pairs))


def _pairs(image: MatchedImage) -> Iterator[tuple[str | None, str | None]]:
    """Yield true and predicted name of each box or pair of boxes; None stands for the background."""
    guesses, truths = image.prediction.class_name, image.target.class_name
    for guess, truth in enumerate(image.truth.tolist()):
        if image.right[guess]:
            yield truths[truth], guesses[guess]
    lost, stray = np.flatnonzero(~image.found), np.flatnonzero(~image.right)
    overlaps = box_iou(image.prediction.xyxy[stray][:, None], image.target.xyxy[lost])
    free_guesses, free_truths = set(stray.tolist()), set(lost.tolist())
    for position in np.argsort(-overlaps, axis=None, kind="stable").tolist():
        row, column = divmod(position, len(lost))
        guess, truth = int(stray[row]), int(lost[column])
        if overlaps[row, column] < _OVERLAP:
            break
        if guess in free_guesses and truth in free_truths:
            free_guesses.remove(guess)
            free_truths.remove(truth)
            yield truths[truth], guesses[guess]
    yield from ((truths[truth], None) for truth in sorted(free_truths))
    yield from ((None, guesses[guess]) for guess in sorted(free_guesses))


def _index(name: str | None, names: Sequence[str], truths: Counter[str]) -> int:
    if name is None:
        return len(names) - 1
    if name in names[:-1]:
        return names.index(name)
    return names.index(_OTHER if name in truths else _UNKNOWN)


def _mistakes(pairs: Counter[tuple[str | None, str | None]]) -> tuple[Mistake, ...]:
    wrong = [
        Mistake(truth, guess, count)
        for (truth, guess), count in pairs.items()
        if truth is not None and guess is not None and truth != guess
    ]
    wrong.sort(key=lambda mistake: (-mistake.count, mistake.truth, mistake.prediction))
    return tuple(wrong[:_MISTAKES])
