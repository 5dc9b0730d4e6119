"""From samples to batches: images are decoded once and texts encoded once, and again only where they are random."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from florence2.config import AugmentationConfig, ObjectiveConfig
from florence2.datasets import DatasetManifest
from florence2.model import IGNORED, Florence2, PixelTransform, samples_of, tokenize_prompts
from florence2.storage import ArrayPool, cache_folder
from florence2.training.augmentation import augment
from florence2.training.box_order import ordered
from florence2.training.sampling import Draw

__all__ = ["EncodedSample", "TrainingSamples", "collate", "pixel_pool"]

_THREADS = 4


@dataclass(frozen=True)
class EncodedSample:
    """One sample as the model trains on it.

    Attributes:
        row: its row in the manifest.
        image: uint8 (height, width, 3), or float32 features (channels, rows, columns) of a frozen vision tower.
        question: ids of the prompt, those of the image's tokens first.
        answer: ids of ``<s> answer </s>``.
    """

    row: int
    image: NDArray[np.generic]
    question: list[int]
    answer: list[int]


def pixel_pool(transform: PixelTransform, limit_gib: float) -> ArrayPool:
    """Return the cache of decoded images of the model's size, by the sha256 of their file."""
    width, height = transform.size_wh
    key = hashlib.sha256(f"{transform.size_wh}/{transform.resample}/pixels 1".encode()).hexdigest()[:24]
    folder = cache_folder("pixels") / key
    return ArrayPool(folder, (height, width, 3), np.dtype(np.uint8), int(limit_gib * 2**30))


class TrainingSamples(Dataset[EncodedSample]):
    """The samples of a split, encoded for the model.

    Args:
        manifest: the split.
        florence2: its tokenizer and image size are used.
        objective: gives the order of the boxes.
        augmentation: random changes; None for validation, where nothing is random.
        seed: of the random changes.
        pool: cache of pixels or of features by sha256, which become the images of the samples.
    """

    def __init__(
        self,
        manifest: DatasetManifest,
        florence2: Florence2,
        objective: ObjectiveConfig,
        augmentation: AugmentationConfig | None,
        seed: int,
        pool: ArrayPool,
    ) -> None:
        self._samples = samples_of(manifest)
        self._names = manifest.table["sha256"].tolist()
        self._locations = [
            f"{file}:{line}" for file, line in zip(*(manifest.table[c] for c in ("file", "line")), strict=True)
        ]
        self._transform = PixelTransform.of(florence2.processor)
        self._tokenizer = florence2.tokenizer
        self._seed = seed
        self._pool = pool
        self._augmentation = augmentation if augmentation != AugmentationConfig() else None
        random_order = objective.box_order == "random"
        # In validation the order is fixed, so that the losses of epochs can be compared.
        self._box_order = "given" if random_order and augmentation is None else objective.box_order
        self._is_random = self._augmentation is not None or self._box_order == "random"
        self._questions = tokenize_prompts(florence2.processor, [sample.prompt for sample in self._samples])
        fixed = [ordered(sample.task, sample.suffix, self._box_order, None) for sample in self._samples]
        self._answers: list[list[int]] = florence2.tokenizer(fixed)["input_ids"]

    def __len__(self) -> int:
        return len(self._samples)

    @property
    def answer_lengths(self) -> list[int]:
        """Return the number of tokens of each answer."""
        return [len(answer) for answer in self._answers]

    def locations(self, rows: Sequence[int]) -> list[str]:
        """Return the locations of rows as ``file:line``."""
        return [self._locations[row] for row in rows]

    def __getitem__(self, draw: Draw | int) -> EncodedSample:
        """Return a sample: of an epoch, or of none where nothing is random."""
        return self.__getitems__([draw])[0]

    def __getitems__(self, draws: Sequence[Draw | int]) -> list[EncodedSample]:
        """Return the samples of a batch. Pillow decodes outside Python's lock, so threads help."""
        chosen = [draw if isinstance(draw, Draw) else Draw(0, draw) for draw in draws]
        rows = [draw.row for draw in chosen]
        load = self._random if self._is_random else self._fixed
        with ThreadPoolExecutor(min(_THREADS, len(chosen))) as threads:
            images, suffixes = zip(*threads.map(load, chosen), strict=True)
            if len({image.shape for image in images}) > 1:
                # Some features are no longer in the cache: the tower computes those of the whole batch.
                images = tuple(threads.map(self._decoded, rows))
        answers = [self._answers[row] for row in rows]
        if self._is_random:
            # In one call and one thread: that is faster, and a tokenizer may have to switch off padding first.
            answers = self._tokenizer(list(suffixes))["input_ids"]
        questions = [self._questions[row] for row in rows]
        return [EncodedSample(*parts) for parts in zip(rows, images, questions, answers, strict=True)]

    def _fixed(self, draw: Draw) -> tuple[NDArray[np.generic], str]:
        return self._image(draw.row), ""

    def _random(self, draw: Draw) -> tuple[NDArray[np.generic], str]:
        """Return the image of a draw and its answer."""
        random = np.random.default_rng([self._seed, *draw])
        sample = self._samples[draw.row]
        suffix = sample.suffix
        if self._augmentation is None:
            image = self._image(draw.row)
        else:
            opened = self._transform.open(sample.image)
            opened, suffix = augment(opened, sample.task, sample.prefix, suffix, self._augmentation, random)
            image = self._transform.shrink(opened)
        return image, ordered(sample.task, suffix, self._box_order, random)

    def _image(self, row: int) -> NDArray[np.generic]:
        """Return the pixels or features of the pool; where it has none, decode the pixels."""
        name = self._names[row]
        found = self._pool.get(name)
        if found is None:
            found = self._decoded(row)
            self._pool.put(name, found)
        return found

    def _decoded(self, row: int) -> NDArray[np.generic]:
        return self._transform.shrink(self._transform.open(self._samples[row].image))


def collate(samples: Sequence[EncodedSample], pad_id: int) -> dict[str, torch.Tensor]:
    """Return a batch.

    Args:
        samples: n of them.
        pad_id: id of the padding token.

    Returns:
        ``pixel_values``: the images, stacked; ``input_ids``, ``attention_mask`` int64 (n, length); ``labels``
        int64 (n, target length), ``IGNORED`` on padding, which the loss leaves out; ``rows`` int64 (n).
    """
    questions = _padded([sample.question for sample in samples], pad_id)
    return {
        "pixel_values": torch.from_numpy(np.stack([sample.image for sample in samples])),
        "input_ids": questions,
        "attention_mask": _padded([[1] * len(sample.question) for sample in samples], 0),
        "labels": _padded([sample.answer for sample in samples], IGNORED),
        "rows": torch.tensor([sample.row for sample in samples]),
    }


def _padded(rows: Sequence[Sequence[int]], filling: int) -> torch.Tensor:
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[filling] * (longest - len(row))] for row in rows])
