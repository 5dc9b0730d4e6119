"""Rows to look at, with the answers of the models and their boxes."""

from __future__ import annotations

from dataclasses import dataclass

from florence2.codec import Detections, split_prefix
from florence2.evaluation.evaluated_sample import EvaluatedSample

__all__ = ["Box", "Example", "ExampleAnswer", "choose_examples", "example_of"]


@dataclass(frozen=True)
class Box:
    """A box to draw.

    Attributes:
        name: its class.
        xyxy: x_min, y_min, x_max, y_max in pixels.
        right: whether it is one of the truth, or finds one of it at IoU 0.5.
        confidence: None where it has none.
    """

    name: str
    xyxy: tuple[float, float, float, float]
    right: bool
    confidence: float | None = None


@dataclass(frozen=True)
class ExampleAnswer:
    """What one model answered.

    Attributes:
        text: the answer.
        value: what it is worth, see ``EvaluatedSample``.
        boxes: in its order; empty where the answer has none.
        cut: whether it was cut at the greatest length.
    """

    text: str
    value: float | None = None
    boxes: tuple[Box, ...] = ()
    cut: bool = False


@dataclass(frozen=True)
class Example:
    """One row of the split with what models answered.

    Attributes:
        image: path of the image in its data set.
        width: its width in pixels.
        height: its height in pixels.
        prefix: the task token with its input, for example ``<VQA>How many cards?``.
        target: the annotated answer.
        score: name of the score that the answers' values are of.
        truth: the true boxes; None where the answer has no boxes.
        after: the answer of the model that is judged.
        before: the answer of the base model; None where there is only one model.
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


def example_of(after: EvaluatedSample, before: EvaluatedSample | None = None) -> Example:
    """Return a row with the answer of one model or of both."""
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
    )


def _answer(row: EvaluatedSample) -> ExampleAnswer:
    boxes = () if row.boxes is None else _boxes(row.boxes.prediction, row.boxes.right.tolist())
    return ExampleAnswer(row.text, row.value, boxes, row.truncated)


def _boxes(detections: Detections, right: list[bool]) -> tuple[Box, ...]:
    scores = [None] * len(detections) if detections.confidence is None else detections.confidence.tolist()
    return tuple(
        Box(name, (x_min, y_min, x_max, y_max), is_right, score)
        for name, (x_min, y_min, x_max, y_max), is_right, score in zip(
            detections.class_name, detections.xyxy.tolist(), right, scores, strict=True
        )
    )


def choose_examples(prefixes: list[str], count: int) -> list[int]:
    """Return positions of rows, evenly from each task and spread over it, so that they stand for the whole split."""
    by_task: dict[str, list[int]] = {}
    for index, prefix in enumerate(prefixes):
        by_task.setdefault(split_prefix(prefix)[0].token, []).append(index)
    shares = [count // len(by_task) + (place < count % len(by_task)) for place in range(len(by_task))]
    chosen: list[int] = []
    for share, indices in zip(shares, by_task.values(), strict=True):
        step = max(1.0, len(indices) / max(share, 1))
        chosen += [indices[int(place * step)] for place in range(min(share, len(indices)))]
    return chosen
