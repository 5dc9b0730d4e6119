"""The loss: cross-entropy over the tokens of the answer, with two changes for detectors that generate sequences."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import cross_entropy, log_softmax

from florence2.codec import BINS, location_token
from florence2.config import ObjectiveConfig
from florence2.model import IGNORED

__all__ = ["AnswerLoss"]

_REACH = 3
"""Standard deviations at which a smoothed target ends."""


class AnswerLoss:
    """Mean cross-entropy per token, with a lower weight of the end token and smoothed locations.

    An end token that comes too early loses all boxes after it, so detectors that generate sequences give it a lower
    weight (Chen et al., Pix2seq, arXiv 2109.10852, section 2.3, lower the weight of noise tokens instead). A location
    one bin off is nearly correct: its target is a normal distribution over the neighbouring bins.

    The validation does not use it: every recipe is validated by the plain cross-entropy.

    Args:
        config: the weight and the smoothing.
        end_id: id of the end token.
        first_location_id: id of ``<loc_0>``; the others follow it.
    """

    def __init__(self, config: ObjectiveConfig, end_id: int, first_location_id: int) -> None:
        self._config = config
        self._end_id = end_id
        self._first = first_location_id

    @classmethod
    def of(cls, config: ObjectiveConfig, tokenizer: Any) -> AnswerLoss | None:
        """Return the loss for a tokenizer; None where it is the plain loss of the model."""
        if config.eos_weight == 1 and not config.location_smoothing:
            return None
        ids = tokenizer.convert_tokens_to_ids([location_token(0), location_token(BINS - 1)])
        assert ids[1] - ids[0] == BINS - 1, "location tokens follow each other in every Florence-2 vocabulary"
        return cls(config, tokenizer.eos_token_id, ids[0])

    def __call__(
        self, outputs: Any, labels: torch.Tensor, num_items_in_batch: torch.Tensor | int | None = None
    ) -> torch.Tensor:
        """Return the loss.

        Args:
            outputs: of the model; ``logits`` (n, length, vocabulary).
            labels: int64 (n, length), ``IGNORED`` where there is no token.
            num_items_in_batch: number of tokens of the mean, with those of other processes and accumulated batches;
                None: those of ``labels``.
        """
        kept = labels != IGNORED
        logits, targets = outputs["logits"][kept].float(), labels[kept]
        losses = cross_entropy(logits, targets, reduction="none")
        if self._config.location_smoothing:
            losses = self._smoothed(logits, targets, losses)
        losses = torch.where(targets == self._end_id, losses * self._config.eos_weight, losses)
        return losses.sum() / (len(targets) if num_items_in_batch is None else num_items_in_batch)

    def _smoothed(self, logits: torch.Tensor, targets: torch.Tensor, losses: torch.Tensor) -> torch.Tensor:
        """Replace the losses of locations by those against smoothed targets."""
        positions = ((targets >= self._first) & (targets < self._first + BINS)).nonzero().flatten()
        bins = targets[positions] - self._first
        reach = max(1, round(_REACH * self._config.location_smoothing))
        offsets = torch.arange(-reach, reach + 1, device=logits.device)
        around = bins[:, None] + offsets
        weights = torch.exp(-0.5 * (offsets / self._config.location_smoothing) ** 2).expand(around.shape)
        weights = weights * ((around >= 0) & (around < BINS))
        weights = weights / weights.sum(dim=1, keepdim=True)
        logs = log_softmax(logits[positions], dim=-1)
        spread = -(weights * logs.gather(1, around.clamp(0, BINS - 1) + self._first)).sum(dim=1)
        return losses.index_copy(0, positions, spread)
