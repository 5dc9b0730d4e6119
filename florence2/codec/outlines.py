"""``Outline``: a region of an image in one form for all tasks: boxes, quadrilaterals and polygons."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from florence2.codec.answers import parse_detections
from florence2.codec.detections import Detections
from florence2.codec.regions import parse_polygons, parse_proposals, parse_quads
from florence2.codec.tasks import AnswerKind

__all__ = ["Outline", "outlines_in", "outlines_of_boxes"]


@dataclass(frozen=True)
class Outline:
    """A closed line in an image.

    Attributes:
        points: at least three, each x and y in pixels; the last is joined to the first.
        name: the class of a box, the text in a quadrilateral, empty for a polygon.
        confidence: None where there is none.
        is_unseen: whether the training of the model never saw the class.
    """

    points: tuple[tuple[float, float], ...]
    name: str = ""
    confidence: float | None = None
    is_unseen: bool = False

    @property
    def title(self) -> str:
        """Return the name, marked where the training never saw it."""
        return f"{self.name} (unseen)" if self.is_unseen else self.name

    @property
    def xyxy(self) -> tuple[float, float, float, float]:
        """Return x_min, y_min, x_max, y_max of the enclosing box in pixels."""
        across, down = zip(*self.points, strict=True)
        return min(across), min(down), max(across), max(down)


def outlines_in(
    kind: AnswerKind,
    text: str,
    resolution_wh: tuple[int, int],
    boxes: Detections | None = None,
    unseen: Collection[str] = (),
) -> tuple[Outline, ...] | None:
    """Return the regions of an answer, in their order.

    Args:
        kind: how answers of the task are written.
        text: the answer without special tokens; what is not a region is left out.
        resolution_wh: width and height of the image in pixels.
        boxes: those of the answer, with their confidence, where they are known already.
        unseen: classes of boxes that the training never saw.

    Returns:
        The outlines; None where answers of this kind have no regions.
    """
    match kind:
        case AnswerKind.BOXES | AnswerKind.PROPOSALS:
            parse = parse_detections if kind is AnswerKind.BOXES else parse_proposals
            return outlines_of_boxes(parse(text, resolution_wh).with_area() if boxes is None else boxes, unseen)
        case AnswerKind.QUADS:
            quads = parse_quads(text, resolution_wh)
            pairs = zip(quads.xy.tolist(), quads.text, strict=True)
            return tuple(Outline(tuple((x, y) for x, y in corners), name) for corners, name in pairs)
        case AnswerKind.POLYGONS:
            found = parse_polygons(text, resolution_wh)
            return tuple(Outline(tuple((x, y) for x, y in outline.tolist())) for outline in found.xy)
        case AnswerKind.ANSWER | AnswerKind.TEXT | AnswerKind.JSON:
            return None


def outlines_of_boxes(boxes: Detections, unseen: Collection[str] = ()) -> tuple[Outline, ...]:
    """Return the four corners of each box, clockwise from the upper left; boxes of unseen classes are marked."""
    scores = [None] * len(boxes) if boxes.confidence is None else boxes.confidence.tolist()
    return tuple(
        Outline(((x_min, y_min), (x_max, y_min), (x_max, y_max), (x_min, y_max)), name, score, name in unseen)
        for name, score, (x_min, y_min, x_max, y_max) in zip(boxes.class_name, scores, boxes.xyxy.tolist(), strict=True)
    )
