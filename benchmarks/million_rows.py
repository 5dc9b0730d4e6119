"""A generated manifest of a million rows without a defect, and defects planted in it: some for every rule."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.near_duplicates import natural_signatures
from florence2.datasets.manifest import COLUMNS, IMAGE_COLUMNS, DatasetManifest

__all__ = ["Cells", "million_rows", "plant"]

Cells = dict[str, set[tuple[str, int]]]
"""File and line that each rule must find, by its code."""

_CLASSES = ("person", "bicycle", "traffic light", "t-shirt", "9 of clubs", "cat", "dog", "potted plant")
_DETECTION_PREFIXES = ("<OD>", "<DENSE_REGION_CAPTION>", "<OPEN_VOCABULARY_DETECTION>things")
_SPLIT_OF_DIGIT = np.array(["train"] * 8 + ["valid", "test"])
_SIGNED_PER_CHUNK = 10_000
_EACH = 10
_BOX = "<loc_10><loc_20><loc_300><loc_400>"
_LEAVING_REGION = "TOTAL<loc_900><loc_20><loc_1005><loc_20><loc_1005><loc_40><loc_900><loc_40>"

# What the row holds instead, by the rule that must find it.
_IN_DETECTIONS: dict[str, dict[str, Any]] = {
    "line-invalid": {"line_error": "not valid JSON"},
    "image-outside": {"image_error": "outside: leads out of the folder"},
    "image-missing": {"image_error": "missing: no such file"},
    "image-empty": {"image_error": "empty: 0 bytes"},
    "image-truncated": {"image_error": "truncated: 3 bytes are missing"},
    "image-unreadable": {"image_error": "unreadable: not an image"},
    "image-too-large": {"image_error": "too-large: a billion pixels"},
    "prefix-text": {"prefix": "<OD>cats"},
    "suffix-empty": {"suffix": "  "},
    "location-unknown": {"suffix": "cat<loc_10><loc_20><loc_1000><loc_400>"},
    "location-count": {"suffix": "cat<loc_10><loc_20><loc_300>"},
    "location-missing": {"task": "<REGION_PROPOSAL>", "prefix": "<REGION_PROPOSAL>", "suffix": "a cat"},
    "text-without-box": {"suffix": f"cat{_BOX}dog"},
    "box-without-class": {"suffix": _BOX},
    "box-inverted": {"suffix": "cat<loc_300><loc_20><loc_10><loc_400>"},
    "box-zero-area": {"suffix": "cat<loc_300><loc_20><loc_300><loc_400>"},
    "box-duplicate": {"suffix": f"cat{_BOX}cat{_BOX}"},
    "box-near-duplicate": {"suffix": f"cat{_BOX}cat<loc_10><loc_20><loc_301><loc_400>"},
    "box-tiny": {"suffix": "cat<loc_300><loc_20><loc_302><loc_400>"},
}
_IN_COORDINATES: dict[str, dict[str, Any]] = {
    "image-size-differs": {"declared_width": 320},
    "image-without-objects": {"suffix": "", "box_lines": ""},
    "region-outside": {"task": "<OCR_WITH_REGION>", "prefix": "<OCR_WITH_REGION>", "suffix": _LEAVING_REGION},
    "box-outside": {"suffix": "cat<loc_900><loc_20><loc_1005><loc_400>"},
}
_IN_QUESTIONS: dict[str, dict[str, Any]] = {
    "prefix-without-task": {"prefix": "how many?", "task": ""},
    "location-in-text": {"suffix": f"here{_BOX}"},
    "token-reserved": {"suffix": "two</s>"},
    "answer-too-long": {"suffix": "yes " * 1100},
}
_CLASS_NAMES = {
    "class-blanks": "traffic  light",
    "class-case": "Person",
    "class-typo": "bicycl",
    "class-rare": "zebra",
    "class-test-only": "giraffe",
}
_OF_IMAGES: dict[str, dict[str, Any]] = {
    "image-exif-orientation": {"orientation": 6},
    "image-greyscale": {"mode": "L"},
    "image-alpha": {"mode": "P+transparency"},
    "image-cmyk": {"mode": "CMYK"},
    "image-16-bit": {"mode": "I;16"},
}


def million_rows(rows: int, seed: int) -> DatasetManifest:
    """Return a manifest without a defect, in three splits, with five rows per image.

    Half are detections, a fifth of them in COCO files, half are questions. Row ``turn * rows // 5 + image`` of
    either half is about that image; of ten images eight are for training.

    Args:
        rows: how many, at least 10,000.
        seed: of boxes, answers and signatures.
    """
    half, images = rows // 2, rows // 5
    rng = np.random.default_rng(seed)
    # Each row of an image has another prompt, so that no two rows repeat or contradict each other.
    number = np.concatenate([np.arange(half), np.arange(rows - half)])
    image, turn, detection = number % images, number // images, np.arange(rows) < half
    split = _SPLIT_OF_DIGIT[image % 10]
    names = pd.Series(split, dtype="string") + "/" + pd.Series(image).astype("string") + ".jpg"
    questions = np.array([f"<VQA>what is object {index}?" for index in range(3)])[turn]
    prefixes = np.where(detection, np.array(_DETECTION_PREFIXES)[turn], questions)
    answers = np.array(["yes", "no", "two", "red", "a small dog"])[rng.integers(0, 5, rows - half)]
    boxes, count = _detections(half, rng)
    from_coco = detection & (turn == 0) & (image % 2 == 0)
    files = np.where(from_coco, "/_annotations.coco.json", "/annotations.jsonl")
    columns: dict[str, Any] = {name: [None] * rows for name in COLUMNS} | {
        "split": split,
        "image": names,
        "width": np.full(rows, 640),
        "height": np.full(rows, 480),
        "sha256": names.str.pad(64, fillchar="0"),
        "task": [prefix[: prefix.find(">") + 1] for prefix in prefixes],
        "prefix": prefixes,
        "suffix": pd.concat([boxes, pd.Series(answers, dtype="string")], ignore_index=True),
        "file": pd.Series(split, dtype="string") + pd.Series(files, dtype="string"),
        "line": np.arange(1, rows + 1),
        "box_lines": _box_lines(np.append(count, np.zeros(rows - half, dtype=np.int64)), from_coco),
        "declared_width": pd.Series(np.full(rows, 640), dtype="Int64").where(from_coco),
        "declared_height": pd.Series(np.full(rows, 480), dtype="Int64").where(from_coco),
    }
    return DatasetManifest.from_columns(Path("/data"), columns, _images(names[:images], seed))


def _images(names: pd.Series[str], seed: int) -> dict[str, Any]:
    count = len(names)
    starts = range(0, count, _SIGNED_PER_CHUNK)
    return {
        "image": names,
        "width": [640] * count,
        "height": [480] * count,
        "sha256": names.str.pad(64, fillchar="0"),
        "mode": ["RGB"] * count,
        "orientation": [1] * count,
        "brightness": [0.5] * count,
        "signature": [
            text
            for start in starts
            for text in natural_signatures(min(_SIGNED_PER_CHUNK, count - start), seed * count + start)
        ],
        "error": [None] * count,
    }


def _detections(rows: int, rng: np.random.Generator) -> tuple[pd.Series[str], NDArray[np.int64]]:
    """Return answers of one to three boxes, each in a third of the image of its own, and how many boxes, (rows,)."""
    count = rng.integers(1, 4, rows)
    answers = pd.Series([""] * rows, dtype="string")
    for third in range(3):
        low = rng.integers(0, 100, (rows, 2))
        high = low + rng.integers(50, 200, (rows, 2))
        bins = np.stack([low[:, 0] + 333 * third, low[:, 1], high[:, 0] + 333 * third, high[:, 1]], axis=1)
        box = pd.Series(np.array(_CLASSES)[rng.integers(0, len(_CLASSES), rows)], dtype="string")
        for side in range(4):
            box = box + "<loc_" + pd.Series(bins[:, side]).astype("string") + ">"
        answers = answers + box.where(count > third, "")
    return answers, count


def _box_lines(count: NDArray[np.int64], from_coco: NDArray[np.bool_]) -> pd.Series[str]:
    """Return a line for each box of rows in COCO files, NA for the others."""
    rows = len(count)
    lines = pd.Series([None] * rows, dtype="string")
    chosen = np.flatnonzero(from_coco)
    lines.iloc[chosen] = [
        " ".join(str(rows + 3 * row + box + 1) for box in range(boxes))
        for row, boxes in zip(chosen.tolist(), count[chosen].tolist(), strict=True)
    ]
    return lines


def plant(manifest: DatasetManifest, seed: int) -> tuple[DatasetManifest, Cells]:
    """Plant some of each defect in images chosen by chance, no two in one image.

    Args:
        manifest: of ``million_rows``.
        seed: of the choice.

    Returns:
        The manifest, and where each rule must find something. The rules about empty splits are left out, for there
        are none.
    """
    beds = _Beds(manifest, seed)
    for code, values in _IN_DETECTIONS.items():
        beds.change_rows(code, beds.take(beds.jsonl), values)
    for code, values in _IN_COORDINATES.items():
        chosen = beds.take(beds.coco)
        if code == "box-outside":
            beds.rows.loc[chosen, "box_lines"] = beds.rows.loc[chosen, "line"].astype("string")
        beds.change_rows(code, chosen, values)
    for code, values in _IN_QUESTIONS.items():
        beds.change_rows(code, beds.half + beds.take(beds.jsonl), values)
    for code, name in _CLASS_NAMES.items():
        chosen = beds.take(beds.test if code == "class-test-only" else beds.jsonl)[
            : 3 if code == "class-rare" else _EACH
        ]
        beds.change_rows(code, chosen, {"suffix": f"{name}{_BOX}"})
        # A name is reported once, where it is used first.
        beds.expect(code, np.array([chosen.min()]))
    for code, values in _OF_IMAGES.items():
        chosen = beds.take(beds.jsonl)
        beds.images.loc[chosen, list(values)] = list(values.values())
        beds.expect_images(code, chosen)
    beds.repeat_rows()
    beds.share_images()
    beds.add_unused()
    return DatasetManifest(manifest.source, beds.rows, beds.images, manifest.splits), beds.expected


def _one_level_off(signature: str) -> str:
    """Change the first cell of a signature by one level of brightness."""
    cells = bytearray(base64.b64decode(signature + "="))
    cells[0] ^= 1
    return base64.b64encode(cells).decode().rstrip("=")


class _Beds:
    """Where defects can be planted: a manifest's tables, and the images that are still without one."""

    def __init__(self, manifest: DatasetManifest, seed: int) -> None:
        self.rows, self.images = manifest.table.copy(), manifest.images.copy()
        self.count, self.half = len(self.images), len(self.rows) // 2
        self.expected: Cells = {}
        order = np.random.default_rng(seed).permutation(self.count)
        # Of the images for training, the odd ones are detected in JSONL files and the even ones in COCO files.
        train = order[order % 10 < 8]
        self.jsonl, self.coco = self._in_turn(train[train % 2 == 1]), self._in_turn(train[train % 2 == 0])
        self.test = self._in_turn(order[order % 10 == 9])

    @staticmethod
    def _in_turn(images: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        return iter(np.split(images, range(_EACH, len(images), _EACH)))

    @staticmethod
    def take(images: Iterator[NDArray[np.int64]]) -> NDArray[np.int64]:
        return next(images)

    def expect(self, code: str, at: NDArray[np.int64]) -> None:
        chosen = self.rows.loc[at]
        self.expected[code] = set(zip(chosen["file"].tolist(), chosen["line"].tolist(), strict=True))

    def expect_images(self, code: str, at: NDArray[np.int64]) -> None:
        self.expected[code] = {(name, 0) for name in self.images.loc[at, "image"]}

    def change_rows(self, code: str, at: NDArray[np.int64], values: Mapping[str, Any]) -> None:
        for column, value in values.items():
            self.rows.loc[at, column] = value
        self.expect(code, at)

    def repeat_rows(self) -> None:
        """Let the second question about an image be the first one, with the same answer and with another."""
        for code, answer in (("row-duplicate", None), ("answer-conflict", "something else")):
            first = self.half + self.take(self.jsonl)
            later = first + self.count
            self.rows.loc[later, "prefix"] = self.rows.loc[first, "prefix"].to_numpy()
            same = self.rows.loc[first, "suffix"].to_numpy()
            self.change_rows(code, later, {"suffix": same if answer is None else answer})

    def share_images(self) -> None:
        """Put images for training into the test as well: the same files, and some that are nearly the same."""
        ours, theirs = self.take(self.jsonl), self.take(self.test)
        shared = dict(zip(self.images.loc[ours, "image"], self.images.loc[theirs, "sha256"], strict=True))
        at = np.flatnonzero(self.rows["image"].isin(list(shared)))
        self.rows.loc[at, "sha256"] = self.rows.loc[at, "image"].map(shared)
        self.expect("image-in-two-splits", at)
        ours, theirs = self.take(self.jsonl), self.take(self.test)
        self.images.loc[ours, "signature"] = self.images.loc[theirs, "signature"].map(_one_level_off).to_numpy()
        self.expect_images("image-nearly-in-two-splits", ours)

    def add_unused(self) -> None:
        names = [f"train/unused_{number}.jpg" for number in range(_EACH)]
        unused = pd.DataFrame({"image": names, "sha256": ""}, columns=list(IMAGE_COLUMNS)).astype(IMAGE_COLUMNS)
        self.images = pd.concat([self.images, unused], ignore_index=True)
        self.expect_images("image-unused", np.arange(self.count, self.count + _EACH))
