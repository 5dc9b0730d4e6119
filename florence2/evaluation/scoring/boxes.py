"""Scores of the boxes of any model: a COCO data set and a COCO results list, evaluated as pycocotools does.

Crowds, given areas and the order of equal scores count as in pycocotools. What differs: an annotation without ``area``
has that of its box, and one whose id is 0 is found like any other (pycocotools takes its id for "not found", so that
sets numbered from 0 lose a box).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from florence2.datasets import BadValueError, CocoIds, excerpt, number, read_coco_ids
from florence2.evaluation.metrics.coco import SCORE_NAMES, coco_scores
from florence2.evaluation.scoring.files import FileProblems, id_of, walk_file
from florence2.evaluation.scoring.names import NameMatcher
from florence2.storage import AnswerFiles

__all__ = ["COCO_NAMES", "UNDEFINED", "BoxScores", "score_boxes"]

COCO_NAMES = (
    *("AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large"),
    *("AR_1", "AR_10", "AR_100", "AR_small", "AR_medium", "AR_large"),
)
"""What the scores of ``SCORE_NAMES`` are called where detectors are compared, in that order."""

UNDEFINED = -1.0
"""The value of a score that the ground truth does not define, as in COCO."""

_OF_CLASS = {"AP": "ap", "AP50": "ap50", "AP75": "ap75"}


@dataclass(frozen=True)
class BoxScores:
    """The scores of a results list.

    Attributes:
        scores: by each of ``COCO_NAMES``; ``UNDEFINED`` where the data set has no such object.
        per_class: ``AP``, ``AP50`` and ``AP75`` by the id of each category of the data set.
        truths: number of annotations.
        notes: sentences about what was matched by name, and what counts in no score.
    """

    scores: dict[str, float]
    per_class: dict[Hashable, dict[str, float]]
    truths: int
    notes: tuple[str, ...] = ()


def score_boxes(references: Path, predictions: Path, dataset: Path | None = None) -> BoxScores:
    """Score a results list.

    Args:
        references: a COCO data set, JSON.
        predictions: a list of ``image_id``, ``category_id``, ``bbox`` (x, y, width, height in pixels) and ``score``. A
            result may hold ``file_name`` and ``category_name``, too.
        dataset: a COCO data set that says which images and classes the ids of the results mean; None:
            ``coco_dataset.json`` beside the predictions, where it exists.

    Returns:
        The twelve scores of COCO. Images without a prediction are images on which nothing was found. Where names are
        known, images and classes are matched by them.

    Raises:
        DatasetError: a file cannot be read or scored; the message lists all problems.
    """
    problems = FileProblems()
    truth = _Truth()
    for key, part, line in walk_file(references, "{", problems):
        truth.add(key, part, line)
    annotations = truth.checked(references, problems)
    images, classes = _matchers(truth, references, _ids_of(predictions, references, dataset))
    results: list[dict[str, Any]] = []
    for index, (_, part, line) in enumerate(walk_file(predictions, "[", problems), start=1):
        try:
            row = _result(part, images, classes)
        except BadValueError as exc:
            problems.add(predictions, line, f"result {index}: {exc}")
        else:
            results += [row] if row["image_id"] is not None and row["category_id"] is not None else []
    for matcher in (images, classes):
        if (refusal := matcher.refusal(references)) and not problems.concern(references):
            problems.add(predictions, None, refusal)
    problems.raise_for_any()
    notes = (*images.notes(references), *classes.notes(references))
    return replace(_evaluated(truth, annotations, results), notes=notes)


def _ids_of(predictions: Path, references: Path, dataset: Path | None) -> tuple[CocoIds, Path] | None:
    """Return what the ids of the predictions mean, and the file that says so; None where they are the references'."""
    file = dataset or predictions.with_name(AnswerFiles.DATASET)
    if (dataset is None and not file.is_file()) or file.resolve() == references.resolve():
        return None
    return read_coco_ids(file), file


def _matchers(truth: _Truth, references: Path, given: tuple[CocoIds, Path] | None) -> tuple[NameMatcher, NameMatcher]:
    """Return what finds the images and the classes of results."""
    annotated = frozenset(part.get("category_id") for part, _ in truth.annotations)
    names = CocoIds(truth.image_names, truth.category_names, annotated)
    ids, source = given or (None, references)
    image_names, class_names = (ids.images, ids.categories) if ids else (None, None)
    return (
        NameMatcher("images", truth.images, names.images, names.image_named, image_names, source),
        NameMatcher("classes", truth.categories, names.categories, names.category_named, class_names, source),
    )


def _evaluated(truth: _Truth, annotations: Sequence[dict[str, Any]], results: Sequence[dict[str, Any]]) -> BoxScores:
    # Ids become numbers from 1 in their order: the evaluation takes nothing else, and 0 means "none" to it.
    images, categories = _numbered(truth.images), _numbered(truth.categories)
    for row in (*annotations, *results):
        row["image_id"], row["category_id"] = images[row["image_id"]], categories[row["category_id"]]
    dataset = {
        "images": [{"id": index} for index in images.values()],
        "categories": [{"id": index, "name": str(name)} for name, index in categories.items()],
        "annotations": [{**row, "id": index} for index, row in enumerate(annotations, start=1)],
    }
    evaluated = coco_scores(dataset, results)
    scores = {ours: evaluated.scores.get(name, UNDEFINED) for ours, name in zip(COCO_NAMES, SCORE_NAMES, strict=True)}
    per_class = {
        category: {ours: evaluated.per_class.get(index, {}).get(name, UNDEFINED) for ours, name in _OF_CLASS.items()}
        for category, index in categories.items()
    }
    return BoxScores(scores, per_class, len(annotations))


@dataclass(frozen=True)
class _Truth:
    """A COCO data set, collected part by part; the parts may come in any order.

    Attributes:
        images: line of each image by its id.
        categories: line of each category by its id.
        image_names: file name by id, where there is one.
        category_names: class name by id, where there is one.
        annotations: each with its line.
        problems: lines and their problems.
    """

    images: dict[Hashable, int] = field(default_factory=dict)
    categories: dict[Hashable, int] = field(default_factory=dict)
    image_names: dict[Hashable, str] = field(default_factory=dict)
    category_names: dict[Hashable, str] = field(default_factory=dict)
    annotations: list[tuple[dict[str, Any], int]] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def add(self, key: str, part: dict[str, Any], line: int) -> None:
        """Take a part of the file: the key of its array, the element, and the line where it begins."""
        if key == "annotations":
            self.annotations.append((part, line))
        elif key in ("images", "categories"):
            self._add_id(self.images if key == "images" else self.categories, part, line, f"one of the {key}")
            names, name_key = (self.image_names, "file_name") if key == "images" else (self.category_names, "name")
            own, name = part.get("id"), part.get(name_key)
            if isinstance(own, int | str) and isinstance(name, str):
                names[own] = name

    def _add_id(self, lines: dict[Hashable, int], part: dict[str, Any], line: int, what: str) -> None:
        try:
            own = id_of(part, "id")
            if own in lines:
                raise BadValueError(f"id {excerpt(own)} was used in line {lines[own]} already")
            lines[own] = line
        except BadValueError as exc:
            self.problems.append((line, f"{what}: {exc}"))

    def checked(self, file: Path, problems: FileProblems) -> list[dict[str, Any]]:
        """Return the annotations as COCO has them; what is invalid is added to the problems."""
        rows: list[dict[str, Any]] = []
        if not ((self.images and self.categories) or problems.concern(file)):
            problems.add(file, None, "lacks images or categories; give a COCO data set with both, and annotations")
        own_ids: dict[Hashable, int] = {}
        for index, (part, line) in enumerate(self.annotations, start=1):
            what = f"annotation {index}"  # many such files are a single line
            try:
                rows.append(_annotation(part, self))
            except BadValueError as exc:
                self.problems.append((line, f"{what}: {exc}"))
            if "id" in part:
                self._add_id(own_ids, part, line, what)
        for line, problem in self.problems:
            problems.add(file, line, problem)
        return rows


def _annotation(part: Mapping[str, Any], truth: _Truth) -> dict[str, Any]:
    row = _located(part, truth)
    *_, width, height = row["bbox"]
    area = width * height if part.get("area") is None else number(part["area"], "area")
    crowd = part.get("iscrowd", 0)
    if area < 0:
        raise BadValueError(f"area is {area}, less than 0")
    if crowd not in (0, 1):
        raise BadValueError(f"iscrowd is {excerpt(crowd)}, neither 0 nor 1")
    return {**row, "area": area, "iscrowd": int(crowd)}


def _result(part: Mapping[str, Any], images: NameMatcher, classes: NameMatcher) -> dict[str, Any]:
    """Return a result with the ids of the references; None where they lack its image or its class."""
    if "score" not in part:
        raise BadValueError("no 'score'")
    ids = {"image_id": images.id_of(part), "category_id": classes.id_of(part)}
    return {**ids, "bbox": _box(part), "score": number(part["score"], "score")}


def _located(part: Mapping[str, Any], truth: _Truth) -> dict[str, Any]:
    """Return image, category and box of an annotation."""
    image = id_of(part, "image_id", truth.images or None, "images")
    category = id_of(part, "category_id", truth.categories or None, "categories")
    return {"image_id": image, "category_id": category, "bbox": _box(part)}


def _box(part: Mapping[str, Any]) -> list[float]:
    """Return x, y, width, height."""
    box = part.get("bbox")
    if not isinstance(box, list) or len(box) != 4:
        raise BadValueError(f"bbox is {excerpt(box)}, not four numbers")
    xywh = [number(value, "a number of bbox") for value in box]
    if min(xywh[2:]) < 0:
        raise BadValueError(f"bbox is {excerpt(box)}; its width and height must not be less than 0")
    return xywh


def _numbered(ids: Mapping[Hashable, int]) -> dict[Hashable, int]:
    """Number ids from 1 in ascending order, numbers before texts."""
    ordered: list[Any] = sorted(ids, key=lambda own: (isinstance(own, str), own))
    return {own: index for index, own in enumerate(ordered, start=1)}
