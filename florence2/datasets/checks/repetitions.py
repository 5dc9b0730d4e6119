"""Which rows repeat, contradict or reveal other rows, by the content of their images."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from florence2.codec import AnswerKind
from florence2.datasets.checks.image_groups import image_contents
from florence2.datasets.checks.view import Positions, codes_of, first_positions
from florence2.datasets.manifest import SPLITS, DatasetManifest

__all__ = ["Repetitions", "find_repetitions", "later_split"]


def later_split(splits: pd.Series[str], groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find for each row one of the same group in a later one of the splits train, valid, test.

    Only the row of the earlier split is marked: leaving it out ends the leak and keeps the test split as it is.

    Args:
        splits: of the rows.
        groups: numbers of the images of the rows, (n,), in the order of their first mention.

    Returns:
        The position of the first such row in the last such split, (n,); -1 where there is none.
    """
    rank = splits.map({split: number for number, split in enumerate(SPLITS)}).fillna(-1).to_numpy(dtype=np.int64)
    # Sorted by group, then the latest split first, then the order of the rows: each group begins with its answer.
    order = np.lexsort((np.arange(len(groups)), -rank, groups))
    head = order[np.flatnonzero(np.diff(groups[order], prepend=-1))]
    last = head[groups]
    return np.where((rank >= 0) & (rank < rank[last]), last, -1)


class Repetitions(NamedTuple):
    """For each of n rows another one of the same image; -1 where there is none.

    Attributes:
        same_answer: int64 (n,), the first row of the split with the same prefix and answer, if that is an earlier one.
        other_answer: int64 (n,), the first row of the split with the same prefix, if that is an earlier one with
            another answer and the task has one right answer.
        same_image_later: int64 (n,), a row of a later split.
    """

    same_answer: Positions
    other_answer: Positions
    same_image_later: Positions


def find_repetitions(manifest: DatasetManifest, readable: NDArray[np.bool_]) -> Repetitions:
    """Find for each row the earlier one that it repeats or contradicts, and one of a later split with its image.

    Args:
        manifest: the data set.
        readable: which of its rows could be read; the others are compared with nothing.
    """
    rows = manifest.table
    content = codes_of(image_contents(manifest))
    prompt = _combined(_combined(content, codes_of(rows["prefix"])), codes_of(rows["split"]))
    sample = _combined(prompt, codes_of(rows["suffix"]))
    # Numbers of their own keep unreadable lines out of every group.
    alone = np.arange(len(rows)) + len(rows)
    prompt, sample, content = (
        np.asarray(pd.factorize(np.where(readable, key, alone))[0]) for key in (prompt, sample, content)
    )
    same_sample, same_prompt = first_positions(sample)[sample], first_positions(prompt)[prompt]
    position = np.arange(len(rows))
    repeats = same_sample < position
    # An image may have several captions, each of them right.
    several = manifest.tasks.tokens_of(AnswerKind.TEXT)
    one_answer = rows["task"].isin(set(manifest.tasks) - {*several}).to_numpy(dtype=bool)
    contradicts = (same_prompt < position) & ~repeats & one_answer
    return Repetitions(
        np.where(repeats, same_sample, -1),
        np.where(contradicts, same_prompt, -1),
        later_split(rows["split"], content),
    )


def _combined(left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the distinct pairs of two numberings in the order of their first mention, (n,)."""
    width = int(right.max(initial=0)) + 1
    return np.asarray(pd.factorize(left * width + right)[0], dtype=np.int64)
