"""From annotation rows to the tensors that Florence-2 trains on and answers from."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch
from PIL import Image

from florence2.data.images import open_rgb
from florence2.data.manifest import DatasetManifest
from florence2.errors import DatasetError
from florence2.model.base import Florence2

__all__ = ["IGNORED", "Collator", "Sample", "check_target_lengths", "encode_prompts", "samples_of"]

IGNORED = -100
"""Label of a position that the loss leaves out (PyTorch's ``cross_entropy`` default)."""


@dataclass(frozen=True)
class Sample:
    """One annotation row as the model sees it.

    Attributes:
        image: the picture: a path, or an open file of its bytes.
        prefix: the prompt, ``<OD>`` or ``<VQA>How many?``.
        suffix: the right answer.
        resolution_wh: width and height of the picture in pixels.
    """

    image: Path | BinaryIO
    prefix: str
    suffix: str
    resolution_wh: tuple[int, int]


def samples_of(manifest: DatasetManifest) -> list[Sample]:
    """Return the rows of a manifest as samples, in order."""
    table = manifest.table
    columns = zip(table["image"], table["prefix"], table["suffix"], table["width"], table["height"], strict=True)
    root = Path(manifest.root)
    return [
        Sample(root / image, prefix, suffix, (int(width), int(height)))
        for image, prefix, suffix, width, height in columns
    ]


def encode_prompts(florence2: Florence2, images: Sequence[Image.Image], prefixes: Sequence[str]) -> dict[str, Any]:
    """Encode pictures and prompts for the model.

    Args:
        florence2: whose processor encodes.
        images: n RGB pictures of any size.
        prefixes: n prompts; the processor replaces task tokens by Florence-2's own questions.

    Returns:
        ``pixel_values`` float32 (n, 3, height, width), ``input_ids`` and ``attention_mask`` int64 (n, length).
    """
    batch = florence2.processor(images=list(images), text=list(prefixes), return_tensors="pt", padding=True)
    return {key: batch[key] for key in ("pixel_values", "input_ids", "attention_mask")}


class Collator:
    """Turns samples into a training batch; decodes pictures here, so that no artifact holds pixels."""

    def __init__(self, florence2: Florence2) -> None:
        self._florence2 = florence2

    def __call__(self, samples: Sequence[Sample]) -> dict[str, torch.Tensor]:
        """Return a batch.

        Args:
            samples: n samples.

        Returns:
            What ``encode_prompts`` returns, and ``labels`` int64 (n, target length): ``<s> answer </s>`` with
            ``IGNORED`` on padding, so that padding is no part of the loss.
        """
        with ThreadPoolExecutor(max_workers=min(4, len(samples))) as pool:
            images = list(pool.map(open_rgb, [sample.image for sample in samples]))
        batch = encode_prompts(self._florence2, images, [sample.prefix for sample in samples])
        targets = self._florence2.tokenizer([s.suffix for s in samples], return_tensors="pt", padding=True)
        batch["labels"] = targets["input_ids"].masked_fill(targets["attention_mask"] == 0, IGNORED).contiguous()
        return batch


def check_target_lengths(manifest: DatasetManifest, florence2: Florence2, longest: int) -> None:
    """Make sure that no answer would be cut in training.

    Args:
        manifest: the rows to train on.
        florence2: whose tokenizer counts.
        longest: tokens that an answer may have, begin and end tokens included.

    Raises:
        DatasetError: answers are longer; lists the rows by file and line.
    """
    limit = min(longest, florence2.max_target_tokens)
    lengths = [len(ids) for ids in florence2.tokenizer(manifest.table["suffix"].tolist())["input_ids"]]
    rows = zip(manifest.table["file"], manifest.table["line"], lengths, strict=True)
    too_long = [f"{file}:{line}: {length} tokens" for file, line, length in rows if length > limit]
    if too_long:
        raise DatasetError(
            f"{len(too_long)} answers are longer than {limit} tokens and would be cut; shorten them, split the "
            "picture, or raise training.max_target_tokens up to what the model takes:\n  " + "\n  ".join(too_long[:20])
        )
