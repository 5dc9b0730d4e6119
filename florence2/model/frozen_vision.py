"""A vision tower that does not train: it computes features, or a cache supplies them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from florence2.model.florence import CHANNELS, Florence2
from florence2.model.pixels import PixelTransform
from florence2.storage import ArrayPool, cache_folder

__all__ = ["FrozenVision", "feature_pool", "fill_features", "freeze_vision"]

_CHUNK = 8


class FrozenVision(nn.Module):
    """Replaces the vision tower; its input is pixels, or the features that the tower would compute of them.

    The tower is not a submodule: it is not trained, not switched to training mode (its stochastic depth stays off), and
    not saved with each state of a run.
    """

    def __init__(self, tower: nn.Module) -> None:
        super().__init__()
        tower.requires_grad_(False).eval()
        self._tower = [tower]

    @property
    def tower(self) -> nn.Module:
        """Return the tower."""
        return self._tower[0]

    def forward(self, pixel_values: torch.Tensor, **options: Any) -> Any:
        """Return what the tower returns.

        Args:
            pixel_values: pixels (n, 3, height, width), or features (n, channels, rows, columns) of the last stage.
            options: passed on to the tower.
        """
        from transformers.modeling_outputs import BaseModelOutputWithPooling

        if pixel_values.shape[1] != CHANNELS:
            # In the memory format of the tower's output; otherwise sums would differ in their last bits.
            features = pixel_values.contiguous(memory_format=torch.channels_last)
            return BaseModelOutputWithPooling(last_hidden_state=features)
        with torch.no_grad():
            return self.tower.to(pixel_values.device)(pixel_values, **options)


def freeze_vision(florence2: Florence2) -> FrozenVision:
    """Replace a model's vision tower by a frozen one and return it; the other parts stay trainable."""
    inner: Any = florence2.model.model
    if not isinstance(inner.vision_tower, FrozenVision):
        inner.vision_tower = FrozenVision(inner.vision_tower)
    frozen: FrozenVision = inner.vision_tower
    return frozen


def feature_pool(florence2: Florence2, base_fingerprint: str, limit_gib: float) -> ArrayPool:
    """Return the cache of the features of a base's vision tower, by the sha256 of the image file.

    Args:
        florence2: the base.
        base_fingerprint: its fingerprint.
        limit_gib: most disk space for features of this base, in GiB.
    """
    transform = PixelTransform.of(florence2.processor)
    vision: Any = florence2.model.config.vision_config
    width, height = transform.size_wh
    for size, stride, padding in zip(vision.patch_size, vision.patch_stride, vision.patch_padding, strict=True):
        width, height = ((side + 2 * padding - size) // stride + 1 for side in (width, height))
    shape = (int(vision.embed_dim[-1]), height, width)
    key = hashlib.sha256(f"{base_fingerprint}/{transform}/features 1".encode()).hexdigest()[:24]
    return ArrayPool(cache_folder("features") / key, shape, np.dtype(np.float32), int(limit_gib * 2**30))


def fill_features(
    florence2: Florence2, pool: ArrayPool, files: Mapping[str, Path], device: torch.device
) -> Iterator[int]:
    """Compute the features that are not yet in a pool.

    Args:
        florence2: the base, its vision frozen.
        pool: has admitted the names already.
        files: images by the sha256 of their file.
        device: on which to compute.

    Yields:
        The number of images so far, after each chunk.
    """
    transform = PixelTransform.of(florence2.processor)
    tower = freeze_vision(florence2).tower.to(device)
    missing = [name for name in files if pool.get(name) is None]
    for start in range(0, len(missing), _CHUNK):
        names = missing[start : start + _CHUNK]
        features = _features(tower, transform, [files[name] for name in names], device)
        for name, values in zip(names, features, strict=True):
            pool.put(name, values)
        yield start + len(names)


def _features(
    tower: nn.Module, transform: PixelTransform, files: Sequence[Path], device: torch.device
) -> NDArray[np.float32]:
    pixels = [transform.shrink(transform.open(file)) for file in files]
    if len(pixels) == 1:
        pixels *= 2  # torch computes a batch of one in another way, with other last bits
    with torch.no_grad():
        values = tower(transform.normalise(torch.from_numpy(np.stack(pixels)).to(device))).last_hidden_state
    return values[: len(files)].float().cpu().numpy()  # type: ignore[no-any-return]
