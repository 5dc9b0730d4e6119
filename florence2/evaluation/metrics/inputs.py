"""What metrics take: an answer and its target, parsed as the task defines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from florence2.codec import AnswerKind, Detections, parse_detections, parse_polygons, parse_proposals, parse_quads

__all__ = ["metric_inputs"]


def metric_inputs(
    kind: AnswerKind, answer: str, detections: Detections | None, target: str, resolution_wh: tuple[int, int]
) -> tuple[object, object]:
    """Return prediction and target as the metrics of a kind of answer take them.

    Args:
        kind: of the task's answers.
        answer: of the model, without special tokens.
        detections: its boxes with confidence, where the decoder read them. Proposals without them all get the
            confidence 1, and rank in the order of the answer.
        target: the annotated answer.
        resolution_wh: width and height of the image in pixels.

    Returns:
        ``Detections``, ``Quads``, ``Polygons``, or the texts as they are.
    """
    match kind:
        case AnswerKind.BOXES:
            return detections, parse_detections(target, resolution_wh)
        case AnswerKind.PROPOSALS:
            found = detections
            if found is None:
                found = _with_confidence(parse_proposals(answer, resolution_wh).with_area())
            return found, parse_proposals(target, resolution_wh)
        case AnswerKind.QUADS:
            return parse_quads(answer, resolution_wh), parse_quads(target, resolution_wh)
        case AnswerKind.POLYGONS:
            return parse_polygons(answer, resolution_wh), parse_polygons(target, resolution_wh)
        case AnswerKind.ANSWER | AnswerKind.TEXT | AnswerKind.JSON:
            return answer, target


def _with_confidence(detections: Detections) -> Detections:
    return replace(detections, confidence=np.ones(len(detections), dtype=np.float32))
