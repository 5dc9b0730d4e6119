"""Random samples of a data set with their images, for a person to look at."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from florence2.codec import AnswerKind, Detections, parse_detections
from florence2.datasets import DatasetManifest
from florence2.errors import DatasetError
from florence2.images import class_colours, draw_detections, open_rgb

__all__ = ["Sample", "draw_samples"]

_LONG_SIDE = 480
_TEXT_LETTERS, _LABEL_LETTERS = 300, 30
_SHOWN_BOXES = 200


@dataclass(frozen=True)
class Sample:
    """A sample with its image.

    Attributes:
        split: its split.
        image: path relative to the root, its last two parts.
        prefix: the prefix, cut if it is long.
        answer: the answer, cut if it is long; empty where boxes are drawn.
        boxes: how many boxes are drawn; None where the task has none.
        uri: the image with its boxes as a data URI; None if there is none to show.
        problem: why it cannot be shown; empty if it can.
    """

    split: str
    image: str
    prefix: str
    answer: str
    boxes: int | None
    uri: str | None
    problem: str


def draw_samples(manifest: DatasetManifest, count: int = 12, seed: int = 0) -> list[Sample]:
    """Choose samples at random, about the same number of each split and one of each image, and draw them.

    Args:
        manifest: the data set; its images are read.
        count: the most samples to draw.
        seed: seed of the choice.

    Returns:
        The samples by split. A sample whose image cannot be read has none.
    """
    # One row for each image, chosen by the shuffle.
    shuffled = manifest.table[["split", "image"]].sample(frac=1, random_state=seed).drop_duplicates("image")
    turn = shuffled.groupby("split", sort=False).cumcount()
    chosen = manifest.table.loc[turn.sort_values(kind="stable").index[:count]]
    order = chosen["split"].map({"train": 0, "valid": 1, "test": 2}).fillna(3)
    rows = chosen.loc[order.sort_values(kind="stable").index].to_dict("records")
    labelled = manifest.tasks.tokens_of(AnswerKind.BOXES)
    colours = class_colours(
        name
        for row in rows
        if row["task"] in labelled
        for name in _short_names(parse_detections(row["suffix"], (1, 1))).class_name
    )
    root = manifest.fetch_root()
    return [_sample(root, row, colours, row["task"] in labelled) for row in rows]


def _sample(root: Path, row: dict[Any, Any], colours: dict[str, str], labelled: bool) -> Sample:
    uri, boxes, problem = None, None, ""
    if not pd.isna(row["line_error"]):
        problem = str(row["line_error"])
    elif not pd.isna(row["image_error"]):
        # An image outside the data set is such an error: it is not opened.
        problem = str(row["image_error"])
    else:
        try:
            uri, boxes = _image(root, row, colours, labelled)
        except DatasetError as exc:
            problem = str(exc).replace(f"{root}/", "")
    return Sample(
        split=row["split"],
        image="/".join(row["image"].split("/")[-2:]),
        prefix=_shortened(row["prefix"], _TEXT_LETTERS),
        answer="" if labelled and not problem else _shortened(row["suffix"], _TEXT_LETTERS),
        boxes=boxes,
        uri=uri,
        problem=_shortened(problem, _TEXT_LETTERS),
    )


def _image(root: Path, row: dict[Any, Any], colours: dict[str, str], labelled: bool) -> tuple[str, int | None]:
    image = open_rgb(root / row["image"])
    image.thumbnail((_LONG_SIDE, _LONG_SIDE))
    found = parse_detections(row["suffix"], image.size) if labelled else Detections.empty()
    names = _short_names(found)
    drawn = draw_detections(image, names, colours=colours, long_side=_LONG_SIDE, font_size=15)
    buffer = io.BytesIO()
    drawn.save(buffer, format="JPEG", quality=82, optimize=True)
    uri = f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    return uri, len(found) if labelled else None


def _short_names(found: Detections) -> Detections:
    """Return the boxes that are drawn, with names that are short enough for an image."""
    names = tuple(_shortened(name, _LABEL_LETTERS) for name in found.class_name[:_SHOWN_BOXES])
    return Detections(np.asarray(found.xyxy[:_SHOWN_BOXES]), names)


def _shortened(text: str, letters: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= letters else text[: letters - 1] + "\N{HORIZONTAL ELLIPSIS}"
