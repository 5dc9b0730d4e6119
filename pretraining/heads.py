"""Training-only helpers of the pretraining: extra heads and losses that are thrown away afterwards.

A written answer says little about where to look. Two heads say it directly: one names object, attributes and box
at each visual token; one reads absolute locations off the encoder's output, in the words that the answer uses.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from florence2.codec.locations import BINS, quantize
from florence2.data.scenes import Scene
from florence2.data.scenes.shapes import SHAPE_COLORS, SHAPE_OUTLINES, SHAPE_TEXTURES

__all__ = ["ATTRIBUTES", "CellTargets", "TrainingHeads", "answer_loss", "cell_targets"]

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "color": tuple(SHAPE_COLORS),
    "shape": tuple(SHAPE_OUTLINES),
    "texture": SHAPE_TEXTURES,
    "framed": ("no", "yes"),
}
"""The attributes that the dense head names, and their values."""

_IGNORED = -100


@dataclass(frozen=True)
class CellTargets:
    """What lies in each cell of the visual grid.

    Attributes:
        present: (n, cells) 1.0 where the centre of an object lies.
        attributes: per attribute, (n, cells) index of its value, -100 where there is no object.
        boxes: (n, cells, 4) x_min, y_min, x_max, y_max as shares of the image's sides.
        bins: (n, cells, 4) the same as location bins.
    """

    present: Tensor
    attributes: dict[str, Tensor]
    boxes: Tensor
    bins: Tensor

    def to(self, device: str) -> CellTargets:
        """Return the same on another device."""
        attributes = {name: tensor.to(device) for name, tensor in self.attributes.items()}
        return CellTargets(self.present.to(device), attributes, self.boxes.to(device), self.bins.to(device))


def cell_targets(scenes: list[Scene], grid: int) -> CellTargets:
    """Assign each object to the cell that holds its centre; the larger wins a cell."""
    count, cells = len(scenes), grid * grid
    present = torch.zeros(count, cells)
    attributes = {name: torch.full((count, cells), _IGNORED) for name in ATTRIBUTES}
    boxes = torch.zeros(count, cells, 4)
    bins = torch.zeros(count, cells, 4, dtype=torch.long)
    for row, scene in enumerate(scenes):
        side = scene.image.width
        shares = scene.detections.xyxy / side
        areas = (shares[:, 2] - shares[:, 0]) * (shares[:, 3] - shares[:, 1])
        words = quantize(scene.detections.xyxy, scene.image.size)
        for index in areas.argsort():
            x, y = ((shares[index, :2] + shares[index, 2:]) / 2 * grid).clip(0, grid - 1).astype(int)
            cell = int(y) * grid + int(x)
            present[row, cell] = 1.0
            for name, values in ATTRIBUTES.items():
                attributes[name][row, cell] = values.index(scene.facts[index][name])
            boxes[row, cell] = torch.from_numpy(shares[index])
            bins[row, cell] = torch.from_numpy(words[index])
    return CellTargets(present, attributes, boxes, bins)


class TrainingHeads(nn.Module):
    """The two extra heads."""

    def __init__(self, width: int) -> None:
        super().__init__()
        values = sum(len(known) for known in ATTRIBUTES.values())
        self.dense = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, 1 + values + 4))
        self.locate = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, 4 * width))

    def dense_loss(self, visual_tokens: Tensor, targets: CellTargets) -> Tensor:
        """Judge what the visual tokens say about their cells.

        Args:
            visual_tokens: (n, cells, width) projected tokens without the mean token.
            targets: what is right.
        """
        sizes = [1, *(len(known) for known in ATTRIBUTES.values()), 4]
        presence, *named, boxes = self.dense(visual_tokens).split(sizes, dim=-1)
        weight = torch.tensor(3.0, device=visual_tokens.device)
        loss = functional.binary_cross_entropy_with_logits(presence[..., 0], targets.present, pos_weight=weight)
        for logits, wanted in zip(named, targets.attributes.values(), strict=True):
            loss = loss + functional.cross_entropy(logits.flatten(0, 1), wanted.flatten(), ignore_index=_IGNORED)
        taken = targets.present > 0
        return loss + 8.0 * functional.l1_loss(boxes[taken], targets.boxes[taken])

    def location_loss(self, encoded: Tensor, targets: CellTargets, location_rows: Tensor, sigma: float) -> Tensor:
        """Judge the absolute locations that the encoder's visual tokens hold.

        Args:
            encoded: (n, cells, width) the encoder's output at the visual tokens.
            targets: what is right.
            location_rows: (1000, width) rows of the location tokens in the tied embedding.
            sigma: deviation of the smoothed target, in bins.
        """
        taken = targets.present > 0
        hidden = self.locate(encoded[taken])
        logits = hidden.view(len(hidden), 4, -1) @ location_rows.T
        return _smoothed(logits.log_softmax(-1).flatten(0, 1), targets.bins[taken].flatten(), sigma).mean()


def answer_loss(logits: Tensor, labels: Tensor, first_location: int, sigma: float) -> Tensor:
    """Cross-entropy of a written answer in which neighbouring locations count as nearly right.

    Args:
        logits: (tokens, vocabulary), only of tokens that are asked for.
        labels: (tokens,) their ids.
        first_location: id of ``<loc_0>``.
        sigma: deviation of the smoothed target of a location, in bins.
    """
    scores = logits.log_softmax(-1)
    location = (labels >= first_location) & (labels < first_location + BINS)
    words = -scores[~location].gather(1, labels[~location, None]).sum()
    places = scores[location, first_location : first_location + BINS]
    return (words + _smoothed(places, labels[location] - first_location, sigma).sum()) / len(labels)


def _smoothed(log_probabilities: Tensor, bins: Tensor, sigma: float) -> Tensor:
    """Return the cross-entropy (n,) against a Gaussian around each bin, cut off at three deviations."""
    reach = int(3 * sigma) + 1
    offsets = torch.arange(-reach, reach + 1, device=bins.device)
    around = bins[:, None] + offsets
    weights = torch.exp(-0.5 * (offsets / sigma) ** 2) * ((around >= 0) & (around < BINS))
    weights = weights / weights.sum(dim=1, keepdim=True)
    return -(weights * log_probabilities.gather(1, around.clamp(0, BINS - 1))).sum(dim=1)
