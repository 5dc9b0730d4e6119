"""Samples that a report shows, with the answers of the models and their boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from florence2.codec import TASKS, Detections, Task
from florence2.evaluation.evaluated_sample import EvaluatedSample

__all__ = ["Box", "Example", "ExampleAnswer", "choose_examples", "example_of"]


@dataclass(frozen=True)
class Box:
    """A box to draw.

    Attributes:
        name: its class.
        xyxy: x_min, y_min, x_max, y_max in pixels.
        right: whether it is a true box, or matches one at IoU 0.5.
        confidence: None where it has none.
    """

    name: str
    xyxy: tuple[float, float, float, float]
    right: bool
    confidence: float | None = None


@dataclass(frozen=True)
class ExampleAnswer:
    """The answer of one model.

    Attributes:
        text: the answer.
        value: its value, see ``EvaluatedSample``.
        boxes: in the order of the answer; empty where it has none.
        cut: whether it was cut at the length limit.
    """

    text: str
    value: float | None = None
    boxes: tuple[Box, ...] = ()
    cut: bool = False


@dataclass(frozen=True)
class Example:
    """A sample of the split with the answers of one model or two.

    Attributes:
        image: path of the image in its data set.
        width: its width in pixels.
        height: its height in pixels.
        prefix: the task token with its input, for example ``<VQA>How many cards?``.
        target: the annotated answer.
        score: name of the score of the answers' values.
        truth: the true boxes; None where the answer has no boxes.
        after: the answer of the evaluated model.
        before: the answer of the base model; None where there is only one model.
        own_task: the task, where it is not one of Microsoft's.
    """

    image: str
    width: int
    height: int
    prefix: str
    target: str
    score: str
    truth: tuple[Box, ...] | None
    after: ExampleAnswer
    before: ExampleAnswer | None = None
    own_task: Task | None = None

    @property
    def task(self) -> Task:
        """Return the task of the prompt."""
        return self.own_task or TASKS.task_of(self.prefix)


def example_of(after: EvaluatedSample, before: EvaluatedSample | None = None) -> Example:
    """Return a sample with the answer of one model or of both."""
    width, height = after.resolution_wh
    truth = None if after.boxes is None else _boxes(after.boxes.target, [True] * len(after.boxes.target))
    return Example(
        image=after.image,
        width=width,
        height=height,
        prefix=after.prefix,
        target=after.target,
        score=after.score,
        truth=truth,
        after=_answer(after),
        before=None if before is None else _answer(before),
        own_task=None if after.task in TASKS.tasks else after.task,
    )


def _answer(sample: EvaluatedSample) -> ExampleAnswer:
    boxes = () if sample.boxes is None else _boxes(sample.boxes.prediction, sample.boxes.right.tolist())
    return ExampleAnswer(sample.text, sample.value, boxes, sample.truncated)


def _boxes(detections: Detections, right: list[bool]) -> tuple[Box, ...]:
    scores = [None] * len(detections) if detections.confidence is None else detections.confidence.tolist()
    return tuple(
        Box(name, (x_min, y_min, x_max, y_max), is_right, score)
        for name, (x_min, y_min, x_max, y_max), is_right, score in zip(
            detections.class_name, detections.xyxy.tolist(), right, scores, strict=True
        )
    )


def choose_examples(tasks: Sequence[str], count: int) -> list[int]:
    """Return indices of samples: the same number of each task, spread evenly over its samples.

    Args:
        tasks: the task token of each sample.
        count: number of samples to choose.
    """
    by_task: dict[str, list[int]] = {}
    for index, token in enumerate(tasks):
        by_task.setdefault(token, []).append(index)
    shares = [count // len(by_task) + (number < count % len(by_task)) for number in range(len(by_task))]
    chosen: list[int] = []
    for share, indices in zip(shares, by_task.values(), strict=True):
        step = max(1.0, len(indices) / max(share, 1))
        chosen += [indices[int(number * step)] for number in range(min(share, len(indices)))]
    return chosen
