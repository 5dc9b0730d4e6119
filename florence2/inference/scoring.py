"""A confidence for every box that the model wrote, from the probabilities of its tokens.

The score of a box is the mean probability of the tokens that name its class. Florence-2 publishes no score;
of the formulas tried this one ranks boxes well (it lifts mAP over all scores equal) and lies in 0..1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from florence2.codec.answers import BoxSpan, box_problem
from florence2.codec.detections import Detections
from florence2.codec.locations import dequantize

__all__ = ["TokenReader", "score_detections"]


@dataclass(frozen=True)
class TokenReader:
    """What scoring needs of a tokenizer.

    Attributes:
        location_of: the bin that a token id stands for, by id.
        decode: turns token ids into text.
        framing: begin, end and padding: no part of any answer.
        special: all tokens that are no words and no locations, such as ``<sep>`` between polygons: no part of a box.
    """

    location_of: dict[int, int]
    decode: Callable[[Sequence[int]], str]
    framing: frozenset[int] = frozenset()
    special: frozenset[int] = frozenset()


def score_detections(
    token_ids: Sequence[int],
    probabilities: Sequence[float],
    reader: TokenReader,
    resolution_wh: tuple[int, int],
) -> Detections:
    """Read the boxes of one answer with their confidences.

    Args:
        token_ids: the answer without special tokens.
        probabilities: of each of these tokens, in 0..1.
        reader: tells location tokens from words.
        resolution_wh: width and height of the image in pixels.

    Returns:
        The boxes that ``parse_detections`` reads from the same answer, with confidence.
    """
    names: list[str] = []
    rows: list[tuple[int, ...]] = []
    scores: list[float] = []
    for words, word_probabilities, bins in _groups(token_ids, probabilities, reader):
        name = reader.decode(words).strip()
        for start in range(0, len(bins) - 3, 4):
            box = tuple(bins[start : start + 4])
            if box_problem(BoxSpan(name, box)) is None:
                names.append(name)
                rows.append(box)
                scores.append(float(np.mean(word_probabilities)))
    if not rows:
        return Detections.empty()
    return Detections(dequantize(rows, resolution_wh), tuple(names), np.asarray(scores, dtype=np.float32))


def _groups(
    token_ids: Sequence[int], probabilities: Sequence[float], reader: TokenReader
) -> list[tuple[list[int], list[float], list[int]]]:
    """Split an answer into class words, their probabilities and the bins that follow them."""
    groups: list[tuple[list[int], list[float], list[int]]] = []
    for token, probability in zip(token_ids, probabilities, strict=True):
        bin_index = reader.location_of.get(token)
        if bin_index is not None:
            if groups:
                groups[-1][2].append(bin_index)
            continue
        if not groups or groups[-1][2]:
            groups.append(([], [], []))
        groups[-1][0].append(token)
        groups[-1][1].append(probability)
    return groups
