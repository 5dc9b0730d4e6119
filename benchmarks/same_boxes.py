"""Compare the boxes of one data set in two layouts.

    python -m benchmarks.same_boxes FOLDER FOLDER

Images are paired by the stem of their file name, without the ending that Roboflow adds to it. In each pair the boxes
of a class are matched, whatever their order, so that their differences are smallest in sum. Boxes are cut off at the
edges of their image first, for not every layout can say that one leaves it.
"""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from florence2.codec.locations import BINS
from florence2.codec.scan import scan_column
from florence2.datasets.boxes import boxes_of, tidy
from florence2.datasets.formats import read_dataset
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import Florence2Error

__all__ = ["Comparison", "same_boxes"]

Bins = NDArray[np.int64]


@dataclass(frozen=True)
class Comparison:
    """What two data sets have in common.

    Attributes:
        images: images that are in both.
        images_alone: images that are in one of them only: in the first, in the second.
        differences: of each pair of boxes, the largest difference of a side in location bins.
        boxes_alone: boxes without a partner in images of both, such as ``stem: class``: in the first, in the second.
    """

    images: int
    images_alone: tuple[list[str], list[str]]
    differences: Bins
    boxes_alone: tuple[list[str], list[str]]

    def __str__(self) -> str:
        equal, near = (int((self.differences == bins).sum()) for bins in (0, 1))
        lines = [
            f"{self.images} images in both, {' and '.join(str(len(names)) for names in self.images_alone)} in one only",
            f"{len(self.differences)} pairs of boxes: {equal} equal, {near} differ by one bin, "
            f"largest difference {self.differences.max(initial=0)} bins",
        ]
        for which, alone in zip(("first", "second"), self.boxes_alone, strict=True):
            lines += [f"only in the {which}: {box}" for box in alone]
        return "\n".join(lines)


def same_boxes(first: DatasetManifest, second: DatasetManifest) -> Comparison:
    """Pair the boxes of two data sets.

    Args:
        first: a data set whose images have different stems.
        second: the same in another layout.

    Raises:
        ValueError: images of one data set have the same stem.
    """
    ours, theirs = _by_image(first), _by_image(second)
    differences: list[int] = []
    alone: tuple[list[str], list[str]] = ([], [])
    both = sorted(ours.keys() & theirs.keys())
    for stem in both:
        for name in sorted(ours[stem].keys() | theirs[stem].keys()):
            here, there = (boxes[stem].get(name, np.zeros((0, 4), dtype=np.int64)) for boxes in (ours, theirs))
            distance = np.abs(here[:, None] - there[None]).max(axis=-1, initial=0)
            rows, columns = linear_sum_assignment(distance)
            differences += distance[rows, columns].tolist()
            for side, boxes, matched in ((alone[0], here, rows), (alone[1], there, columns)):
                side += [f"{stem}: {name} {box}" for box in np.delete(boxes, matched, axis=0).tolist()]
    lost = (sorted(ours.keys() - theirs.keys()), sorted(theirs.keys() - ours.keys()))
    return Comparison(len(both), lost, np.array(differences, dtype=np.int64), alone)


def _by_image(manifest: DatasetManifest) -> dict[str, dict[str, Bins]]:
    """Return the boxes (n, 4) of each class of each image, by the stem of its name."""
    stems = {image: re.sub(r"\.rf\..*", "", PurePosixPath(image).stem) for image in manifest.table["image"].unique()}
    if len(set(stems.values())) < len(stems):
        raise ValueError(f"{manifest.name}: images of the same name in different folders cannot be paired")
    found: dict[str, defaultdict[str, list[list[int]]]] = {stem: defaultdict(list) for stem in stems.values()}
    for image, name, bins in _boxes(manifest):
        found[stems[image]][name].append(bins)
    return {stem: {name: np.array(boxes) for name, boxes in named.items()} for stem, named in found.items()}


def _boxes(manifest: DatasetManifest) -> Iterator[tuple[str, str, list[int]]]:
    boxes = boxes_of(manifest, scan_column(manifest.table["suffix"]))
    images = manifest.table["image"].to_numpy()[boxes.row]
    for image, name, bins in zip(images, boxes.name, np.clip(boxes.bins, 0, BINS - 1).tolist(), strict=True):
        yield image, tidy(boxes.names[name]), bins


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folders", nargs=2, type=Path)
    try:
        print(same_boxes(*map(read_dataset, parser.parse_args().folders)))
    except (Florence2Error, ValueError) as exc:
        parser.error(str(exc))


if __name__ == "__main__":
    main()
