"""From samples to the input of the model, and checks that answers and prompts fit into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from PIL import Image

from florence2.codec import TASKS, Task, TaskTable
from florence2.datasets import DatasetManifest
from florence2.errors import DatasetError
from florence2.model.florence import Florence2

if TYPE_CHECKING:
    from transformers import Florence2Processor

__all__ = [
    "IGNORED",
    "Sample",
    "check_answers_fit",
    "check_prompts_fit",
    "encode_prompts",
    "samples_of",
]

IGNORED = -100
"""Label of a position that the loss ignores (the default of PyTorch's ``cross_entropy``)."""

_LISTED = 20


@dataclass(frozen=True)
class Sample:
    """One row of a manifest, ready for the model.

    Attributes:
        image: path of the image, or an open file with its bytes.
        prefix: the prompt, ``<OD>`` or ``<VQA>How many?``.
        suffix: the annotated answer.
        resolution_wh: width and height of the image in pixels.
        tasks: those of which the prompt names one.
    """

    image: Path | BinaryIO
    prefix: str
    suffix: str
    resolution_wh: tuple[int, int]
    tasks: TaskTable = TASKS

    @cached_property
    def task(self) -> Task:
        """The task of the prompt.

        Raises:
            AnswerError: the prefix is not a task token with the text that it needs.
        """
        return self.tasks.task_of(self.prefix)

    @cached_property
    def prompt(self) -> str:
        """The prompt as the processor accepts it, see ``TaskTable.prompt_of``.

        Raises:
            AnswerError: as ``task``.
        """
        return self.tasks.prompt_of(self.prefix)


def samples_of(manifest: DatasetManifest) -> list[Sample]:
    """Return the rows of a manifest as samples, in order; remote files are fetched."""
    table = manifest.table
    columns = zip(table["image"], table["prefix"], table["suffix"], table["width"], table["height"], strict=True)
    root = manifest.fetch_root()
    return [
        Sample(root / image, prefix, suffix, (int(width), int(height)), manifest.tasks)
        for image, prefix, suffix, width, height in columns
    ]


def encode_prompts(
    processor: Florence2Processor, images: Sequence[Image.Image], prompts: Sequence[str]
) -> dict[str, Any]:
    """Encode images and prompts for the model.

    Args:
        processor: of the model; it replaces task tokens by Florence-2's own questions.
        images: n RGB images of any size.
        prompts: n prompts as ``TaskTable.prompt_of`` returns them.

    Returns:
        ``pixel_values`` float32 (n, 3, height, width), ``input_ids`` and ``attention_mask`` int64 (n, length).
    """
    batch = processor(images=list(images), text=list(prompts), return_tensors="pt", padding=True)
    return {key: batch[key] for key in ("pixel_values", "input_ids", "attention_mask")}


def check_answers_fit(manifest: DatasetManifest, florence2: Florence2, longest: int) -> None:
    """Raise if an answer would be cut in training.

    Args:
        manifest: the rows to train or validate on.
        florence2: counts with its tokenizer; its number of positions is a limit.
        longest: most tokens of an answer, begin and end included.

    Raises:
        DatasetError: answers are longer; the message lists them by file and line.
    """
    limit = min(longest, florence2.max_tokens)
    lengths = florence2.count_answer_tokens(manifest.table["suffix"].tolist())
    remedy = "shorten them, split the image, or raise training.max_target_tokens up to the limit of the model"
    _check_lengths(manifest, lengths, limit, f"answers are longer than {limit} tokens; {remedy}")


def check_prompts_fit(manifest: DatasetManifest, florence2: Florence2) -> None:
    """Raise if a prompt with its image is longer than the model's input.

    Raises:
        DatasetError: prompts are longer; the message lists them by file and line.
    """
    limit = florence2.max_tokens
    lengths = florence2.count_prompt_tokens([manifest.tasks.prompt_of(prefix) for prefix in manifest.table["prefix"]])
    _check_lengths(manifest, lengths, limit, f"prompts with their image are longer than {limit} tokens; shorten them")


def _check_lengths(manifest: DatasetManifest, lengths: Sequence[int], limit: int, problem: str) -> None:
    rows = zip(manifest.table["file"], manifest.table["line"], lengths, strict=True)
    too_long = [f"{file}:{line}: {length} tokens" for file, line, length in rows if length > limit]
    if too_long:
        more = [f"... and {len(too_long) - _LISTED} more"] if len(too_long) > _LISTED else []
        raise DatasetError("\n  ".join([f"{len(too_long)} {problem}:", *too_long[:_LISTED], *more]))
