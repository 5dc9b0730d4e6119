"""Boxes of several images as COCO results, with the data set that defines their ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from florence2.codec import Detections
from florence2.datasets import BadValueError, CocoIds, excerpt
from florence2.errors import DatasetError

__all__ = ["CocoResults", "coco_results", "images_like"]

_EXAMPLES = 3


@dataclass(frozen=True)
class CocoResults:
    """Boxes as COCO has them.

    Attributes:
        dataset: images and categories with their ids, without annotations.
        results: ``image_id``, ``category_id``, ``bbox`` (x, y, width, height in pixels) and ``score`` of each box.
        notes: sentences about what is not among the results, since the reference lacks it.
    """

    dataset: Mapping[str, Any]
    results: Sequence[Mapping[str, Any]]
    notes: tuple[str, ...] = ()


def coco_results(found: Iterable[tuple[str, tuple[int, int], Detections]], like: CocoIds | None = None) -> CocoResults:
    """Return boxes as COCO results.

    Args:
        found: file name, width and height in pixels, and boxes of each image.
        like: ids and names of a reference, whose ids are taken; None: ids are numbers from 1, of images in their order,
            of classes in that of their names.

    Raises:
        DatasetError: the reference has several images or classes of one name, or one image for several files.
    """
    rows = list(found)
    names = sorted({name for _, _, boxes in rows for name in boxes.class_name})
    images: Mapping[str, Hashable | None] = {name: number for number, (name, _, _) in enumerate(rows, 1)}
    classes: Mapping[str, Hashable | None] = {name: number for number, name in enumerate(names, 1)}
    listed = [{"id": own, "name": name} for name, own in classes.items()]
    if like is not None:
        images, classes = images_like(like, images), _classes_like(like, names)
        listed = [{"id": own, "name": name} for own, name in like.categories.items()]
    kept = [row for row in rows if images[row[0]] is not None]
    dataset = {
        "images": [
            {"id": images[name], "file_name": name, "width": width, "height": height}
            for name, (width, height), _ in kept
        ],
        "categories": listed,
        "annotations": [],
    }
    results = [
        result
        for name, _, boxes in kept
        for result in _results(images[name], boxes, classes)
        if result["category_id"] is not None
    ]
    return CocoResults(dataset, results, _notes(rows, images, classes))


def images_like(like: CocoIds, names: Iterable[str]) -> dict[str, Hashable | None]:
    """Return the id that a reference gives to each image file, None where it lacks one.

    Args:
        like: ids and names of the reference.
        names: of the image files.

    Raises:
        DatasetError: it has none of them, several for one file, or one for several files.
    """
    found: dict[str, Hashable | None] = {}
    files: dict[Hashable, str] = {}
    for name in names:
        found[name] = own = _one(like.image_named, name)
        if own is not None and files.setdefault(own, name) != name:
            raise DatasetError(
                f"{files[own]} and {name} both fit image {excerpt(own)} of the reference ({like.images[own]}): give "
                "one of them, or a reference with their folders"
            )
    if not files:
        theirs, ours = _listed(like.images.values()), _listed(found)
        raise DatasetError(
            f"the reference has none of the images ({ours}), but {theirs}; give the reference of these images"
        )
    return found


def _classes_like(like: CocoIds, names: Iterable[str]) -> dict[str, Hashable | None]:
    return {name: _one(like.category_named, name) for name in names}


def _one(find: Any, name: str) -> Hashable | None:
    try:
        own: Hashable | None = find(name)
    except BadValueError as exc:
        raise DatasetError(f"the reference: {exc}") from exc
    return own


def _results(image: Hashable, boxes: Detections, classes: Mapping[str, Hashable | None]) -> Iterable[dict[str, Any]]:
    for name, score, (x_min, y_min, x_max, y_max) in boxes.rows():
        box = [round(value, 3) for value in (x_min, y_min, x_max - x_min, y_max - y_min)]
        yield {"image_id": image, "category_id": classes[name], "bbox": box, "score": round(score, 6)}


def _notes(
    rows: Sequence[tuple[str, tuple[int, int], Detections]],
    images: Mapping[str, Hashable | None],
    classes: Mapping[str, Hashable | None],
) -> tuple[str, ...]:
    """Return sentences about the images and classes that the reference lacks."""
    notes = []
    if unknown := [name for name, _, _ in rows if images[name] is None]:
        what = (
            "1 image that the reference lacks is"
            if len(unknown) == 1
            else f"{len(unknown)} images that the reference lacks are"
        )
        notes.append(f"{what} not in the COCO results: {_listed(unknown)}")
    boxes = Counter(name for _, _, found in rows for name in found.class_name if classes[name] is None)
    if boxes:
        number = sum(boxes.values())
        what = "1 box" if number == 1 else f"{number} boxes"
        notes.append(
            f"{what} of classes that the reference lacks {'is' if number == 1 else 'are'} not in the COCO results: "
            f"{_listed(boxes)}"
        )
    return tuple(notes)


def _listed(names: Iterable[str]) -> str:
    """Return a few names as an enumeration."""
    first = list(islice(names, _EXAMPLES + 1))
    return ", ".join(excerpt(name) for name in first[:_EXAMPLES]) + (", ..." if len(first) > _EXAMPLES else "")
