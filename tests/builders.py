"""What tests are made of: images, annotation lines, data sets on disk, manifests, detections.

Plain functions with defaults, so that a test states only what it is about.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from florence2.builtin.shapes import draw_shapes
from florence2.codec.answers import box_problem, format_detections, parse_detections
from florence2.codec.detections import Detections
from florence2.codec.grammar import scan_boxes
from florence2.datasets.manifest import COLUMNS, IMAGE_COLUMNS, DatasetManifest
from florence2.errors import AnswerError
from florence2.evaluation.evaluated_sample import EvaluatedSample
from florence2.evaluation.matching import MatchedImage
from florence2.images.signatures import signature
from florence2.inference.generation import Prediction
from florence2.model.processing import Sample

__all__ = [
    "annotation",
    "detections",
    "manifest",
    "manifest_row",
    "read_boxes",
    "signatures",
    "write_dataset",
    "write_image",
    "write_lines",
    "write_mistaken",
    "write_scenes",
    "write_stars",
]

# --- data sets on disk ---------------------------------------------------------------------------------------------


def write_image(path: Path, size: tuple[int, int] = (20, 10), color: tuple[int, int, int] | None = None) -> Path:
    """Write a small RGB image; without a colour, one that is different for each path."""
    if color is None:
        digits = sum(ord(letter) * 31**index for index, letter in enumerate(str(path)))
        color = (digits % 256, digits // 256 % 256, digits // 65536 % 256)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, color).save(path)
    return path


def annotation(
    image: str = "a.png", prefix: str = "<OD>", suffix: str = "cat<loc_100><loc_200><loc_300><loc_400>"
) -> dict[str, str]:
    """Return the content of one annotation line; the default is a valid box."""
    return {"image": image, "prefix": prefix, "suffix": suffix}


def write_lines(file: Path, lines: Sequence[Mapping[str, Any] | str | bytes]) -> Path:
    """Write an annotation file; texts and bytes as they are, mappings as JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    encoded = [
        line if isinstance(line, bytes) else line.encode() if isinstance(line, str) else json.dumps(line).encode()
        for line in lines
    ]
    file.write_bytes(b"".join(line + b"\n" for line in encoded))
    return file


def write_dataset(root: Path, splits: Mapping[str, Sequence[Mapping[str, Any] | str | bytes]] | None = None) -> Path:
    """Write a data set with the images that its lines name; the default has one valid line in each split.

    Args:
        root: the folder, made if need be.
        splits: lines of ``annotations.jsonl`` by split folder; "" is the root itself.
    """
    for split, lines in (splits or {name: [annotation()] for name in ("train", "valid", "test")}).items():
        write_lines(root / split / "annotations.jsonl", lines)
        for line in lines:
            if isinstance(line, Mapping):
                write_image(root / split / line["image"])
    return root


# --- manifests -----------------------------------------------------------------------------------------------------


def manifest_row(line: int = 1, **values: Any) -> dict[str, Any]:
    """Return one valid row of a manifest; the image is named after the line."""
    return {
        "split": "train",
        "image": f"train/{line}.png",
        "width": 20,
        "height": 10,
        "sha256": f"{line:064x}",
        "task": "<OD>",
        "prefix": "<OD>",
        "suffix": "cat<loc_100><loc_200><loc_300><loc_400>",
        "file": "train/annotations.jsonl",
        "line": line,
        "box_lines": None,
        "declared_width": None,
        "declared_height": None,
        "line_error": None,
        "image_error": None,
    } | values


def manifest(
    *rows: Mapping[str, Any],
    root: str = "/data",
    images: Mapping[str, Mapping[str, Any]] | None = None,
    splits: Sequence[str] = (),
) -> DatasetManifest:
    """Return a manifest of rows that state only what differs from a valid one; images need not exist.

    Args:
        rows: what differs in each row from ``manifest_row``.
        root: folder of the data set.
        images: what differs in image files, by path, from an ordinary RGB one; a new path is an unused image.
        splits: splits that the set has besides those of the rows.
    """
    full = [manifest_row(**{"line": line} | dict(row)) for line, row in enumerate(rows, 1)]
    files: dict[str, dict[str, Any]] = {}
    for row in full:
        probed = {"mode": "RGB", "orientation": 1, "brightness": 0.5, "signature": None, "error": row["image_error"]}
        files[row["image"]] = {name: row[name] for name in ("image", "width", "height", "sha256")} | probed
    unused = dict.fromkeys(IMAGE_COLUMNS) | {"sha256": ""}
    for name, values in (images or {}).items():
        files[name] = files.get(name, unused | {"image": name}) | dict(values)
    return DatasetManifest.from_columns(
        Path(root),
        {name: [row[name] for row in full] for name in COLUMNS},
        {name: [file[name] for file in files.values()] for name in IMAGE_COLUMNS},
        splits,
    )


def signatures(count: int, seed: int = 0) -> list[str]:
    """Return signatures of images that are not alike."""
    cells = np.random.default_rng(seed).integers(0, 256, (count, 6, 6, 3), dtype=np.uint8)
    return [signature(Image.fromarray(pixels).resize((48, 48))) for pixels in cells]


# --- answers -------------------------------------------------------------------------------------------------------


def detections(*boxes: tuple[str, float, float, float, float]) -> Detections:
    """Return detections from ``(class name, x_min, y_min, x_max, y_max)`` in pixels."""
    return Detections(np.array([box[1:] for box in boxes], dtype=np.float32), tuple(box[0] for box in boxes))


def evaluated_sample(
    image: str,
    resolution_wh: tuple[int, int],
    prefix: str,
    target: str,
    text: str,
    score: str,
    value: float | None,
    boxes: MatchedImage | None = None,
    *,
    truncated: bool = False,
    malformed: int = 0,
    unscored: int = 0,
) -> EvaluatedSample:
    """Return a sample with an answer that no model generated."""
    sample = Sample(Path(image), prefix, target, resolution_wh)
    prediction = Prediction(text, None if boxes is None else boxes.prediction, truncated, malformed)
    return EvaluatedSample(image, sample, prediction, score, value, boxes, unscored)


def read_boxes(text: str, resolution_wh: tuple[int, int]) -> Detections:
    """Read an annotation strictly: every group must be a box, and nothing may be left over.

    Raises:
        AnswerError: the text is not a detection answer; the message says where and why.
    """
    spans, rest = scan_boxes(text)
    problems = [problem for span in spans if (problem := box_problem(span.class_name, span.bins))]
    if rest.strip():
        problems.append(f"{rest.strip()!r} has no location tokens after it")
    if problems:
        raise AnswerError("; ".join(problems))
    return parse_detections(text, resolution_wh)


# --- small sets to train on ----------------------------------------------------------------------------------------


def write_scenes(root: Path, train: int = 8, valid: int = 4, test: int = 4) -> Path:
    """Write a set of coloured squares, each with a detection and a question, in the three splits."""
    names = {"red": (200, 30, 30), "blue": (30, 30, 200)}
    rng = np.random.default_rng(0)
    for split, count in {"train": train, "valid": valid, "test": test}.items():
        lines = []
        for index in range(count):
            name = list(names)[index % 2]
            x, y, side = (int(value) for value in rng.integers([2, 2, 16], [30, 30, 32]))
            pixels = np.full((64, 64, 3), 230, dtype=np.uint8)
            pixels[y : y + side, x : x + side] = names[name]
            pixels[0, index] = len(split)  # no two images are equal
            (root / split).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(root / split / f"{index}.png")
            box = Detections(np.array([[x, y, x + side, y + side]], dtype=np.float32), (f"{name} tile",))
            lines.append(annotation(f"{index}.png", suffix=format_detections(box, (64, 64))))
            lines.append(annotation(f"{index}.png", "<VQA>what is the colour of the tile?", name))
        write_lines(root / split / "annotations.jsonl", lines)
    return root


def write_stars(root: Path, colors: Sequence[str] = ("red", "green", "blue", "yellow"), each: int = 10) -> Path:
    """Write a set of images of one star, which the built-in base knows; so many of each colour are in the test."""
    rng = np.random.default_rng(5)
    for split, count in {"train": 1, "valid": 1, "test": each}.items():
        missing = dict.fromkeys((f"{color} star" for color in colors), count)
        lines = []
        while any(missing.values()):
            scene = draw_shapes(rng, 64, 1)
            (name,) = scene.detections.class_name
            if missing.get(name):
                missing[name] -= 1
                image = f"{name.replace(' ', '-')}-{missing[name]}.png"
                (root / split).mkdir(parents=True, exist_ok=True)
                scene.image.save(root / split / image)
                lines.append(annotation(image, suffix=format_detections(scene.detections, (64, 64))))
        write_lines(root / split / "annotations.jsonl", lines)
    return root


def write_mistaken(folder: Path, mistakes: Mapping[str, str]) -> Path:
    """Save the built-in base so that it calls stars of some colours by another one."""
    import torch

    from florence2.config import ModelConfig
    from florence2.model.base import load_base

    florence2 = load_base(ModelConfig(base="builtin:nano"))
    ids = {color: int(florence2.tokenizer(f"{color} star")["input_ids"][1]) for color in mistakes}
    embeddings: Any = florence2.model.get_input_embeddings()
    with torch.no_grad():
        before = embeddings.weight.clone()
        for color, other in mistakes.items():
            embeddings.weight[ids[other]] = before[ids[color]]
    florence2.model.save_pretrained(folder)
    florence2.processor.save_pretrained(folder)
    return folder
