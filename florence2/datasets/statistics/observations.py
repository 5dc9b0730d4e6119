"""What is measured in a manifest: the values of each feature, and the row of each value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from florence2.codec import BINS, CLASS_TASKS, AnswerKind, scan_column
from florence2.datasets.boxes import Boxes, boxes_of, tidy
from florence2.datasets.manifest import DatasetManifest

__all__ = ["Names", "Observations", "Values", "observe"]


@dataclass(frozen=True)
class Values:
    """Measured numbers: float64 (n,), and int64 (n,), the row of the manifest of each."""

    values: NDArray[np.float64]
    row: NDArray[np.int64]


@dataclass(frozen=True)
class Names:
    """Names that occur: int64 (n,), each by its index in ``names``; int64 (n,), the row of the manifest of each."""

    code: NDArray[np.int64]
    row: NDArray[np.int64]
    names: list[str]


@dataclass(frozen=True)
class Observations:
    """All that is measured.

    Attributes:
        features: values of each feature of ``FEATURES``, by its name.
        tasks: the task of each readable row.
        classes: the class of each box that a detection names.
    """

    features: dict[str, Values]
    tasks: Names
    classes: Names


def observe(manifest: DatasetManifest) -> Observations:
    """Measure a data set, column by column.

    Boxes are clipped to their image; inverted ones are left out, since they have no size.

    Args:
        manifest: the data set, also with rows and images that could not be read.
    """
    readable = manifest.table["line_error"].isna().to_numpy(dtype=bool)
    boxes = boxes_of(manifest, scan_column(manifest.table["suffix"]))
    rows = np.flatnonzero(readable)
    codes, tasks = pd.factorize(manifest.table["task"][readable])
    return Observations(
        features=_box_values(manifest, boxes) | _lengths(manifest, readable) | _image_values(manifest, readable),
        tasks=Names(np.asarray(codes, dtype=np.int64), rows, [str(task) for task in tasks]),
        classes=_classes(manifest, boxes),
    )


def _box_values(manifest: DatasetManifest, boxes: Boxes) -> dict[str, Values]:
    bins = np.clip(boxes.bins, 0, BINS - 1)
    upright = (bins[:, 2] >= bins[:, 0]) & (bins[:, 3] >= bins[:, 1])
    bins, row = bins[upright], boxes.row[upright]
    sides = (bins[:, 2:] - bins[:, :2]) / BINS
    centres = (bins[:, 2:] + bins[:, :2] + 1) / (2 * BINS)
    sizes = manifest.table[["width", "height"]].to_numpy(dtype=np.float64, na_value=np.nan)[row]
    with np.errstate(divide="ignore", invalid="ignore"):
        aspect = sides[:, 0] * sizes[:, 0] / (sides[:, 1] * sizes[:, 1])
    known = np.isfinite(aspect) & (aspect > 0)
    return {
        "box_size": Values(np.sqrt(sides[:, 0] * sides[:, 1]), row),
        "box_aspect": Values(aspect[known], row[known]),
        "box_x": Values(centres[:, 0], row),
        "box_y": Values(centres[:, 1], row),
        "objects": _objects(manifest, boxes),
    }


def _objects(manifest: DatasetManifest, boxes: Boxes) -> Values:
    """Count the boxes of each image and task, also where there are none."""
    tokens = manifest.tasks.tokens_of(AnswerKind.BOXES)
    labelled = (manifest.table["task"].isin(tokens) & manifest.table["line_error"].isna()).to_numpy(dtype=bool)
    rows = np.flatnonzero(labelled)
    per_row = np.bincount(boxes.row, minlength=len(manifest))[rows]
    pairs = manifest.table.loc[labelled, ["split", "image", "task"]]
    group = pairs.groupby(["split", "image", "task"], sort=False).ngroup().to_numpy()
    first = np.unique(group, return_index=True)[1]
    return Values(np.bincount(group, weights=per_row).astype(np.float64), rows[first])


def _lengths(manifest: DatasetManifest, readable: NDArray[np.bool_]) -> dict[str, Values]:
    table = manifest.table
    with_question = [
        task.token for task in manifest.tasks.tasks if task.takes_input and task.answer is not AnswerKind.POLYGONS
    ]
    # One token after the other: each has a length of its own.
    questions = [
        table["prefix"][readable & (table["task"] == token).to_numpy(dtype=bool)].str.slice(len(token))
        for token in with_question
    ]
    words = manifest.tasks.tokens_of(AnswerKind.ANSWER, AnswerKind.TEXT, AnswerKind.JSON)
    answers = table["suffix"][readable & table["task"].isin(words).to_numpy(dtype=bool)]
    return {"question_length": _characters(pd.concat(questions)), "answer_length": _characters(answers)}


def _characters(texts: pd.Series[str]) -> Values:
    lengths = texts.str.strip().str.len()
    return Values(np.asarray(lengths, dtype=np.float64), texts.index.to_numpy(dtype=np.int64))


def _image_values(manifest: DatasetManifest, readable: NDArray[np.bool_]) -> dict[str, Values]:
    """Measure the images once for each split in which they are."""
    rows = manifest.table.loc[readable, ["split", "image", "width", "height"]].drop_duplicates(["split", "image"])
    brightness = manifest.images.set_index("image")["brightness"]
    columns = {
        "image_width": rows["width"],
        "image_height": rows["height"],
        "brightness": rows["image"].map(brightness),
    }
    found = {}
    for name, column in columns.items():
        known = column[column.notna()]
        found[name] = Values(known.to_numpy(dtype=np.float64), known.index.to_numpy(dtype=np.int64))
    return found


def _classes(manifest: DatasetManifest, boxes: Boxes) -> Names:
    codes, names = pd.factorize(pd.Series([tidy(name) for name in boxes.names], dtype="string"))
    code = np.asarray(codes, dtype=np.int64)[boxes.name]
    named = np.array([bool(name) for name in names], dtype=bool)[code]
    detected = manifest.table["task"].isin(CLASS_TASKS).to_numpy(dtype=bool)[boxes.row]
    kept = named & detected
    return Names(code[kept], boxes.row[kept], [str(name) for name in names])
