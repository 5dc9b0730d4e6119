"""The order of the boxes in a training answer: a detector that generates a sequence must choose one."""

from __future__ import annotations

import numpy as np

from florence2.codec import AnswerKind, Task, format_spans, scan_boxes
from florence2.datasets import DatasetManifest

__all__ = ["ordered", "single_boxes", "with_one_name_per_box"]


def ordered(task: Task, suffix: str, order: str, random: np.random.Generator | None = None) -> str:
    """Return an answer with its boxes in another order.

    Args:
        task: of the prompt; an answer that is not a list of boxes is not changed.
        suffix: the answer.
        order: ``given``, ``left_to_right`` (by left edge, then top edge) or ``random``.
        random: source of the random order; None: the order is not changed.
    """
    if order == "given" or (order == "random" and random is None):
        return suffix
    if task.answer is not AnswerKind.BOXES:
        return suffix
    boxes = single_boxes(suffix)
    if random is not None and order == "random":
        return format_spans(boxes[index] for index in random.permutation(len(boxes)))
    return format_spans(sorted(boxes, key=lambda box: tuple(box[1][:2])))


def with_one_name_per_box(manifest: DatasetManifest) -> DatasetManifest:
    """Return samples in which each box has its own name, so that boxes can be reordered; such answers are longer."""
    table = manifest.table.copy()
    boxes = table["task"].isin(manifest.tasks.tokens_of(AnswerKind.BOXES))
    table.loc[boxes, "suffix"] = [format_spans(single_boxes(suffix)) for suffix in table.loc[boxes, "suffix"]]
    return manifest.replace_rows(table)


def single_boxes(suffix: str) -> list[tuple[str, tuple[int, ...]]]:
    """Return name and bins of each box of a valid answer, also where one name stands for several boxes."""
    return [
        (span.class_name, span.bins[start : start + 4])
        for span in scan_boxes(suffix)[0]
        for start in range(0, len(span.bins), 4)
    ]
