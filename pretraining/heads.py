"""Training-only helpers of the pretraining: extra heads and losses that are removed afterwards.

The loss of an answer says little about locations. Two heads train them directly: one names object, attributes and box
at each visual token; one reads absolute locations from the encoder's output, in the tokens of the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from florence2.codec.locations import BINS, quantize
from pretraining.course import Course, Mark

__all__ = ["CellTargets", "TrainingHeads", "answer_loss", "cell_targets"]

_IGNORED = -100


@dataclass(frozen=True)
class CellTargets:
    """What is in each cell of the visual grid.

    Attributes:
        present: (n, cells) 1.0 near the middle of something that has a box.
        middles: (n, most) the cells that hold the centre of something with a box, -1 behind the last.
        attributes: per attribute, (n, cells) index of its value, -100 where there is none.
        boxes: (n, cells, 4) x_min, y_min, x_max, y_max as shares of the image's sides.
        bins: (n, cells, 4) the same as location bins.
    """

    present: Tensor
    middles: Tensor
    attributes: dict[str, Tensor]
    boxes: Tensor
    bins: Tensor

    def tensors(self) -> dict[str, Tensor]:
        """Return everything by name."""
        attributes = {f"attribute.{name}": tensor for name, tensor in self.attributes.items()}
        fixed = {name: getattr(self, name) for name in ("present", "middles", "boxes", "bins")}
        return fixed | attributes

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor]) -> CellTargets:
        """Return the targets from a mapping that ``tensors`` made; it may hold other tensors too."""
        attributes = {
            name.removeprefix("attribute."): tensor for name, tensor in tensors.items() if name.startswith("attribute.")
        }
        return cls(attributes=attributes, **{name: tensors[name] for name in ("present", "middles", "boxes", "bins")})


_MOST_MIDDLES = 24
"""Objects of a scene whose locations the encoder must hold."""


def cell_targets(scenes: Sequence[Sequence[Mark]], course: Course, grid: int) -> CellTargets:
    """Assign what is to be seen to the cells around its middle; the smaller wins a cell.

    Args:
        scenes: the marks of each scene.
        course: names the attributes, and how far around the middle a mark reaches.
        grid: rows and columns of cells.
    """
    shape = (len(scenes), grid, grid)
    present = np.zeros(shape, dtype=np.float32)
    middles = np.full((len(scenes), _MOST_MIDDLES), -1)
    attributes = {name: np.full(shape, _IGNORED) for name in course.attributes}
    numbers = {name: {value: index for index, value in enumerate(known)} for name, known in course.attributes.items()}
    boxes = np.zeros((*shape, 4), dtype=np.float32)
    for row, marks in enumerate(scenes):
        taken = np.zeros((grid, grid), dtype=bool)
        for mark in sorted(marks, key=_area, reverse=True):
            middle, side = (mark.box[:2] + mark.box[2:]) / 2, mark.box[2:] - mark.box[:2]
            low, at, high = (
                np.clip((middle + shift * course.reach * side / 2) * grid, 0, grid - 1).astype(int)
                for shift in (-1, 0, 1)
            )
            cells = (row, slice(low[1], high[1] + 1), slice(low[0], high[0] + 1))
            for name, value in mark.attributes.items():
                attributes[name][cells] = numbers[name][value]
            if mark.boxed:
                present[cells] = 1.0
                boxes[cells] = mark.box
                taken[at[1], at[0]] = True
        found = np.flatnonzero(taken)[:_MOST_MIDDLES]
        middles[row, : len(found)] = found
    bins = quantize(boxes.reshape(-1, 4), (1, 1)).reshape(boxes.shape)
    return CellTargets(
        _flat(present),
        torch.from_numpy(middles),
        {name: _flat(value) for name, value in attributes.items()},
        _flat(boxes),
        _flat(bins),
    )


def _area(mark: Mark) -> float:
    return float((mark.box[2] - mark.box[0]) * (mark.box[3] - mark.box[1]))


def _flat(array: NDArray[Any]) -> Tensor:
    """Return (n, grid, grid, ...) as (n, cells, ...)."""
    return torch.from_numpy(array).flatten(1, 2)


class TrainingHeads(nn.Module):
    """The two extra heads."""

    def __init__(self, width: int, attributes: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__()
        self.attributes = attributes
        values = sum(len(known) for known in attributes.values())
        self.dense = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, 1 + values + 4))
        self.locate = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, 4 * width))

    def dense_loss(self, visual_tokens: Tensor, targets: CellTargets) -> Tensor:
        """Judge what the visual tokens say about their cells.

        Args:
            visual_tokens: (n, cells, width) projected tokens without the mean token.
            targets: what is right.
        """
        sizes = [1, *(len(known) for known in self.attributes.values()), 4]
        presence, *named, boxes = self.dense(visual_tokens).split(sizes, dim=-1)
        weight = torch.full((), 3.0, device=visual_tokens.device)
        loss: Tensor = functional.binary_cross_entropy_with_logits(presence[..., 0], targets.present, pos_weight=weight)
        for logits, wanted in zip(named, targets.attributes.values(), strict=True):
            each = functional.cross_entropy(
                logits.flatten(0, 1), wanted.flatten(), ignore_index=_IGNORED, reduction="sum"
            )
            loss = loss + each / (wanted != _IGNORED).sum().clamp(min=1)  # a batch may hold no text
        distance = (boxes - targets.boxes).abs().mean(dim=-1) * targets.present
        where: Tensor = distance.sum() / targets.present.sum().clamp(min=1)
        return loss + 8.0 * where

    def location_loss(self, encoded: Tensor, targets: CellTargets, location_rows: Tensor, sigma: Tensor) -> Tensor:
        """Judge the absolute locations that the encoder's visual tokens hold.

        Args:
            encoded: (n, cells, width) the encoder's output at the visual tokens.
            targets: what is right.
            location_rows: (1000, width) rows of the location tokens in the tied embedding.
            sigma: deviation of the smoothed target, in bins.
        """
        there = targets.middles >= 0
        rows = targets.middles.clamp(min=0)[..., None]
        hidden = self.locate(encoded.take_along_dim(rows, dim=1))
        logits = hidden.unflatten(-1, (4, -1)) @ location_rows.T
        bins = targets.bins.take_along_dim(rows, dim=1)
        each = _smoothed(logits.float().log_softmax(-1).flatten(0, 2), bins.flatten(), sigma).view(bins.shape)
        return (each.mean(dim=-1) * there).sum() / there.sum().clamp(min=1)


def answer_loss(logits: Tensor, labels: Tensor, first_location: int, sigma: Tensor) -> Tensor:
    """Cross-entropy of an answer in which neighbouring locations count as nearly right.

    Args:
        logits: (tokens, vocabulary).
        labels: (tokens,) their ids, -100 where none is trained.
        first_location: id of ``<loc_0>``.
        sigma: deviation of the smoothed target of a location, in bins.
    """
    scores = logits.float().log_softmax(-1)
    counted = labels != _IGNORED
    location = (labels >= first_location) & (labels < first_location + BINS)
    words = -scores.gather(1, labels.clamp(min=0)[:, None])[:, 0]
    bins = (labels - first_location).clamp(0, BINS - 1)
    smoothed = _smoothed(scores[:, first_location : first_location + BINS], bins, sigma)
    return (torch.where(location, smoothed, words) * counted).sum() / counted.sum().clamp(min=1)


_REACH = 25
"""Bins on either side over which a location target is smoothed: three deviations of the widest."""


def _smoothed(log_probabilities: Tensor, bins: Tensor, sigma: Tensor) -> Tensor:
    """Return the cross-entropy (n,) against a Gaussian around each bin."""
    offsets = torch.arange(-_REACH, _REACH + 1, device=bins.device)
    around = bins[:, None] + offsets
    weights = torch.exp(-0.5 * (offsets / sigma) ** 2) * ((around >= 0) & (around < BINS))
    weights = weights / weights.sum(dim=1, keepdim=True)
    return -(weights * log_probabilities.gather(1, around.clamp(0, BINS - 1))).sum(dim=1)
