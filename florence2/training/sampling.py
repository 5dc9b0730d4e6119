"""The order in which samples are trained on: a function of the seed and the epoch alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from torch.utils.data import Sampler

__all__ = ["Draw", "EpochOrder"]

_MOST_BATCHES_SORTED = 50


class Draw(NamedTuple):
    """One sample in one epoch.

    The epoch goes with the index, so that what is random about a sample is the same in whatever process it is
    made and after whatever interruption.
    """

    epoch: int
    row: int


class EpochOrder(Sampler[Draw]):
    """Every sample once an epoch, in random order, answers of like length together.

    Batches of like length hold little padding. As in ``transformers.trainer_pt_utils.get_length_grouped_indices``,
    the shuffled samples are cut into large groups and sorted within each; here the batches are then shuffled, but the
    longest comes first, so that what does not fit into memory is known at once.

    Args:
        lengths: of each sample's answer, in tokens.
        batch_size: samples of a step over all processes and accumulated batches.
        seed: of the order.
        grouped: whether lengths matter.
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
        # The last may be smaller; anywhere else it would shift the samples of all batches after it.
        full, rest = (batches, []) if len(batches[-1]) == size else (batches[:-1], batches[-1:])
        shuffled = [full[place] for place in generator.permutation(len(full))]
        longest = max((self._lengths[batch].max() for batch in full), default=0)
        shuffled.sort(key=lambda batch: self._lengths[batch].max() != longest)
        return np.concatenate([*shuffled, *rest])
