"""Boxes without the image: the same few boxes for every image, chosen on the training split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from florence2.codec import AnswerKind, Detections, Task, format_detections, parse_detections, parse_proposals
from florence2.evaluation.baselines.box_search import search_boxes
from florence2.evaluation.baselines.known_answer import KnownAnswer, chosen_indices

__all__ = ["ConstantBoxes"]

_MOST_CLASSES = 100
"""Classes that are searched, the most frequent ones."""

_MOST_IMAGES = 20_000
"""Images that are searched, of more a random selection."""

_MOST_BOXES = 100
_MOST_OF_CLASS = 10

_SIZE = (1, 1)
"""Boxes of an image of this size have coordinates in 0..1."""


@dataclass(frozen=True)
class ConstantBoxes:
    """The same boxes for every image of a task.

    Attributes:
        xyxy: boxes (n, 4) as shares of width and height, the most confident first.
        class_name: n class names; empty ones where the prompt names what to find.
        confidence: (n,), the share of the training images in which a box is right.
        phrases: names in answers of the training split; those that a prompt contains are names of its boxes, too.
            Only where the prompt names what to find.
    """

    xyxy: NDArray[np.float64]
    class_name: tuple[str, ...]
    confidence: NDArray[np.float64]
    phrases: tuple[str, ...] = ()

    @classmethod
    def fit(cls, task: Task, known: Sequence[KnownAnswer]) -> ConstantBoxes:
        """Choose at most 100 boxes, those that add most to mean average precision; of many classes 10 of each.

        Args:
            task: of the answers. Where it takes a text, such as the phrase to find, all objects count as one class.
            known: answers of the training split.
        """
        parsed = [_parse(task, known[index].answer) for index in chosen_indices(len(known), _MOST_IMAGES)]
        xyxy = np.concatenate([np.zeros((0, 4)), *(boxes.xyxy for boxes in parsed)])
        image = np.repeat(np.arange(len(parsed)), [len(boxes) for boxes in parsed])
        names = np.array([name for boxes in parsed for name in boxes.class_name], dtype=object)
        phrases = Counter(names) if task.takes_input else Counter()
        classes = Counter(("",) * len(names) if task.takes_input else names)
        most = max(_MOST_OF_CLASS, _MOST_BOXES // max(len(classes), 1))
        found = [
            (box, name)
            for name, _ in classes.most_common(_MOST_CLASSES)
            for of_class in [slice(None) if task.takes_input else names == name]
            for box in search_boxes(xyxy[of_class], image[of_class], len(parsed), most)
        ]
        kept = sorted(found, key=lambda pair: -pair[0].gain)[:_MOST_BOXES]
        kept.sort(key=lambda pair: -pair[0].precision)
        return cls(
            np.array([box.xyxy for box, _ in kept], dtype=np.float64).reshape(-1, 4),
            tuple(name for _, name in kept),
            np.array([box.precision for box, _ in kept], dtype=np.float64),
            tuple(name for name, _ in phrases.most_common(_MOST_CLASSES) if name),
        )

    def guess(self, text: str, resolution_wh: tuple[int, int]) -> tuple[str, Detections | None]:
        """Return the boxes in pixels of an image, and as an answer.

        Args:
            text: what follows the task token: a class or a caption in which phrases are to be found; else empty.
            resolution_wh: width and height of the image in pixels.
        """
        names = dict.fromkeys([text, *(phrase for phrase in self.phrases if phrase in text)]) if text else [""]
        rows = [(index, own or name) for index, own in enumerate(self.class_name) for name in names]
        indices = [index for index, _ in rows]
        pixels = (self.xyxy[indices] * np.array([*resolution_wh, *resolution_wh])).reshape(-1, 4)
        boxes = Detections(
            pixels.astype(np.float32), tuple(name for _, name in rows), self.confidence[indices].astype(np.float32)
        )
        return format_detections(boxes, resolution_wh), boxes


def _parse(task: Task, answer: str) -> Detections:
    parse = parse_proposals if task.answer is AnswerKind.PROPOSALS else parse_detections
    return parse(answer, _SIZE)
