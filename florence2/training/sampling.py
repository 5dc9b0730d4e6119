"""The order of the samples in training: a function of the seed and the epoch only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from torch.utils.data import Sampler

__all__ = ["Draw", "EpochOrder"]

_MOST_BATCHES_SORTED = 50


class Draw(NamedTuple):
    """One sample in one epoch.

    With the epoch, the random changes of a sample are the same in every process and after every interruption.
    """

    epoch: int
    row: int


class EpochOrder(Sampler[Draw]):
    """Every sample once an epoch, in random order; with ``grouped`` answers of similar length are together.

    Batches of similar length have little padding. As in ``transformers.trainer_pt_utils.get_length_grouped_indices``,
    the shuffled samples are cut into large groups and sorted within each; here the batches are then shuffled, except
    that the longest comes first, so that a lack of memory is found in the first step.

    Args:
        lengths: tokens of each sample's answer.
        batch_size: samples of a step over all processes and accumulated batches.
        seed: of the order.
        grouped: whether to group by length.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int, *, grouped: bool) -> None:
        self._lengths = np.asarray(lengths)
        self._batch_size = batch_size
        self._seed = seed
        self._grouped = grouped
        self.epoch = 0

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[Draw]:
        generator = np.random.default_rng([self._seed, self.epoch])
        order = generator.permutation(len(self._lengths))
        if self._grouped:
            order = self._group(order, generator)
        return iter([Draw(self.epoch, int(index)) for index in order])

    def _group(self, order: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        size = self._batch_size
        group = size * max(1, min(_MOST_BATCHES_SORTED, len(order) // (4 * size)))
        groups = [order[start : start + group] for start in range(0, len(order), group)]
        order = np.concatenate([part[np.argsort(-self._lengths[part], kind="stable")] for part in groups])
        batches = [order[start : start + size] for start in range(0, len(order), size)]
        # The last may be smaller; elsewhere it would shift the samples of all batches after it.
        full, rest = (batches, []) if len(batches[-1]) == size else (batches[:-1], batches[-1:])
        shuffled = [full[index] for index in generator.permutation(len(full))]
        longest = max((self._lengths[batch].max() for batch in full), default=0)
        shuffled.sort(key=lambda batch: self._lengths[batch].max() != longest)
        return np.concatenate([*shuffled, *rest])
