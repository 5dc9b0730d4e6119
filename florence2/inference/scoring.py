"""A confidence for every generated box, from the probabilities of its tokens.

The confidence of a box is the mean probability of the tokens of its class name. Florence-2 publishes no confidence; of
fourteen formulas none ranks boxes better by more than noise, and those that include the four locations rank them worse:
the probability of one of a thousand bins is low even where the box is right (``python -m benchmarks.score_formulas``,
mean mAP of six times 300 images: 0.675 after a fine-tune on cards and 0.667 without one on shapes, against 0.640 and
0.646 with equal confidences).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from florence2.codec import BINS, Detections, box_iou, box_problem, dequantize, location_token
from florence2.errors import ModelError

__all__ = ["GeneratedBox", "TokenReader", "keep_confident", "read_boxes", "score_detections", "suppress_duplicates"]


@dataclass(frozen=True)
class TokenReader:
    """What scoring needs of a tokenizer.

    Attributes:
        location_of: the bin of each location token, by token id.
        decode: turns token ids into text.
        framing: begin, end and padding: no part of any answer.
        special: all tokens that are neither words nor locations, such as ``<sep>`` between polygons: no part of a box.
        begin: the token with which every answer begins.
    """

    location_of: dict[int, int]
    decode: Callable[[Sequence[int]], str]
    framing: frozenset[int] = frozenset()
    special: frozenset[int] = frozenset()
    begin: int | None = None

    @classmethod
    def of(cls, tokenizer: Any) -> TokenReader:
        """Read a tokenizer of transformers.

        Raises:
            ModelError: it has no location tokens, so it is not Florence-2's.
        """
        ids = tokenizer.convert_tokens_to_ids([location_token(index) for index in range(BINS)])
        lacking = [location_token(index) for index, token in enumerate(ids) if token in (None, tokenizer.unk_token_id)]
        if lacking:
            raise ModelError(
                f"the tokenizer of the model lacks {len(lacking)} of {BINS} location tokens, the first {lacking[0]}; "
                "it is not Florence-2's: take model and processor from one folder"
            )
        return cls(
            location_of={token: index for index, token in enumerate(ids)},
            framing=frozenset({tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id}),
            special=frozenset(tokenizer.all_special_ids) - frozenset(ids),
            begin=tokenizer.bos_token_id,
            decode=lambda tokens: tokenizer.decode(
                tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False
            ),
        )


@dataclass(frozen=True)
class GeneratedBox:
    """A box with the probabilities of its tokens.

    Attributes:
        class_name: the words before its locations.
        bins: x_min, y_min, x_max, y_max in 0..999.
        word_probabilities: of the tokens of the name.
        location_probabilities: of the four locations.
    """

    class_name: str
    bins: tuple[int, ...]
    word_probabilities: tuple[float, ...]
    location_probabilities: tuple[float, ...]


def read_boxes(
    token_ids: Sequence[int], probabilities: Sequence[float], reader: TokenReader
) -> tuple[list[GeneratedBox], int]:
    """Read the boxes of one answer.

    Args:
        token_ids: the answer.
        probabilities: of each token, in 0..1.
        reader: distinguishes location tokens and special ones from words.

    Returns:
        The boxes with an area that ``parse_detections`` reads from the same answer, and the number of groups that are
        not boxes: without a name, with other than four locations, with a maximum that is not above its minimum, or
        words at the end without a box.
    """
    boxes: list[GeneratedBox] = []
    malformed = 0
    for words, bins in _groups(token_ids, probabilities, reader):
        name = reader.decode([token for token, _ in words]).strip()
        malformed += bool(len(bins) % 4) or (not bins and bool(name))
        for start in range(0, len(bins) - 3, 4):
            corners = bins[start : start + 4]
            numbers, chances = tuple(number for number, _ in corners), tuple(p for _, p in corners)
            has_area = numbers[0] < numbers[2] and numbers[1] < numbers[3]
            if has_area and box_problem(name, numbers) is None:
                boxes.append(GeneratedBox(name, numbers, tuple(p for _, p in words), chances))
            else:
                malformed += 1
    return boxes, malformed


def score_detections(boxes: Sequence[GeneratedBox], resolution_wh: tuple[int, int]) -> Detections:
    """Return generated boxes in pixels with confidences.

    Args:
        boxes: of one answer.
        resolution_wh: width and height of the image in pixels.
    """
    if not boxes:
        return Detections.empty()
    scores = [sum(box.word_probabilities) / len(box.word_probabilities) for box in boxes]
    names = tuple(box.class_name for box in boxes)
    return Detections(dequantize([box.bins for box in boxes], resolution_wh), names, np.array(scores, dtype=np.float32))


def suppress_duplicates(detections: Detections, iou: float) -> Detections:
    """Keep the box of the highest confidence of boxes of one class that overlap; Florence-2 may repeat itself.

    Args:
        detections: of one answer, with confidence; of equal confidences the earlier box is kept.
        iou: intersection over union above which two boxes count as the same; 1 keeps all.

    Returns:
        The kept boxes, in their order.
    """
    if iou >= 1 or len(detections) < 2 or detections.confidence is None:
        return detections
    kept: list[int] = []
    names = np.array(detections.class_name, dtype=object)
    for index in np.argsort(-detections.confidence, kind="stable").tolist():
        rivals = [other for other in kept if names[other] == names[index]]
        if not rivals or box_iou(detections.xyxy[index], detections.xyxy[rivals]).max() <= iou:
            kept.append(index)
    kept.sort()
    return Detections(detections.xyxy[kept], tuple(names[kept]), detections.confidence[kept])


def keep_confident(detections: Detections, confidence: float) -> Detections:
    """Leave out boxes below a confidence.

    Args:
        detections: of one answer, with confidence.
        confidence: least confidence of a box that is kept, in 0..1.

    Returns:
        The kept boxes, in their order.
    """
    if confidence <= 0 or detections.confidence is None:
        return detections
    kept = detections.confidence >= np.float32(confidence)
    names = tuple(name for name, is_kept in zip(detections.class_name, kept, strict=True) if is_kept)
    return Detections(detections.xyxy[kept], names, detections.confidence[kept])


_Groups = list[tuple[list[tuple[int, float]], list[tuple[int, float]]]]


def _groups(token_ids: Sequence[int], probabilities: Sequence[float], reader: TokenReader) -> _Groups:
    """Split an answer into groups: words and the bins that follow them, each with its probability."""
    groups: _Groups = []
    for token, probability in zip(token_ids, probabilities, strict=True):
        if token in reader.framing or token in reader.special:
            continue
        bin_index = reader.location_of.get(token)
        if not groups or (bin_index is None and groups[-1][1]):
            groups.append(([], []))
        if bin_index is None:
            groups[-1][0].append((token, probability))
        else:
            groups[-1][1].append((bin_index, probability))
    return groups
