"""Measure how often drift is seen where there is none, and how often where there is some.

    python -m benchmarks.drift_calibration [DATASET ...]

Images of a data set are drawn at random into two sets of equal size: what differs between them is chance, and each
verdict "drifted" a false alarm. Then the second set is made darker by a quarter, and the alarm is right.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from florence2.config import DatasetConfig
from florence2.datasets.ingestion import ingest
from florence2.datasets.manifest import DatasetManifest
from florence2.datasets.statistics.compute import compute_statistics
from florence2.datasets.statistics.drift import DISTANCE, SIGNIFICANCE, DriftReport, compare

__all__ = ["Calibration", "calibrate"]

_SIZES = (20, 80, 290)
_DARKER = 0.75


@dataclass(frozen=True)
class Calibration:
    """Verdicts about pairs of sets that differ by chance, and about the same pairs with one set darker.

    Attributes:
        comparisons: pairs of sets.
        false_alarms: pairs in which a feature drifted though nothing but chance differs.
        far: pairs in which a distance alone would have given an alarm.
        unlikely: pairs in which a p-value alone would have given one.
        found: pairs whose brightness drifted, once one set is darker.
    """

    comparisons: int
    false_alarms: int
    far: int
    unlikely: int
    found: int


def calibrate(manifest: DatasetManifest, images: int, comparisons: int) -> Calibration:
    """Compare random sets of images of one data set.

    Args:
        manifest: the data set, all splits together.
        images: in each set.
        comparisons: pairs of sets; the seeds are 0, 1, 2, ...

    Raises:
        ValueError: the data set has not twice as many images.
    """
    same, changed = [], []
    for seed in range(comparisons):
        first, second = _drawn(manifest, images, seed)
        reference = compute_statistics(first)
        same.append(compare(reference, compute_statistics(second)))
        changed.append(compare(reference, compute_statistics(_darkened(second))))
    return Calibration(
        comparisons=comparisons,
        false_alarms=sum(report.verdict == "drifted" for report in same),
        far=sum(any(distance >= DISTANCE for distance, _ in _measures(report)) for report in same),
        unlikely=sum(any(p_value < SIGNIFICANCE for _, p_value in _measures(report)) for report in same),
        found=sum("brightness" in {feature.name for feature in report.drifted} for report in changed),
    )


def _drawn(manifest: DatasetManifest, count: int, seed: int) -> tuple[DatasetManifest, DatasetManifest]:
    """Return two sets without a common image."""
    images = sorted(manifest.table["image"].unique())
    if len(images) < 2 * count:
        raise ValueError(f"{manifest.name}: {len(images)} images, two sets of {count} take {2 * count}")
    order = np.random.default_rng(seed).permutation(images)
    first, second = (
        manifest.replace_rows(manifest.table[manifest.table["image"].isin(chosen.tolist())])
        for chosen in (order[:count], order[count : 2 * count])
    )
    return first, second


def _darkened(manifest: DatasetManifest) -> DatasetManifest:
    return replace(manifest, images=manifest.images.assign(brightness=manifest.images["brightness"] * _DARKER))


def _measures(report: DriftReport) -> Iterator[tuple[float, float]]:
    """Yield distance and p-value of the features that are compared."""
    for feature in report.features:
        if feature.distance is not None and feature.p_value is not None:
            yield feature.distance, feature.p_value


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("datasets", nargs="*", default=["builtin:cards"])
    parser.add_argument("--comparisons", type=int, default=120, help="pairs of sets of each size")
    arguments = parser.parse_args()
    for source in arguments.datasets:
        manifest = ingest(DatasetConfig(source=source))
        count = manifest.table["image"].nunique()
        for images in (size for size in _SIZES if 2 * size <= count):
            found = calibrate(manifest, images, arguments.comparisons)
            print(
                f"{source}, {images} images against {images}: {found.false_alarms} false alarms in "
                f"{found.comparisons} comparisons ({found.far} by distance alone, {found.unlikely} by p-value alone); "
                f"a quarter darker: found {found.found} times",
                flush=True,
            )


if __name__ == "__main__":
    main()
