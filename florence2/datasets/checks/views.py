"""All views of a manifest; its answers are scanned once for all of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from florence2.codec import scan_column
from florence2.datasets.checks.boxes import Boxes, boxes_of, boxes_view
from florence2.datasets.checks.classes import classes_view
from florence2.datasets.checks.images import NearGroups, images_view
from florence2.datasets.checks.rows import rows_view
from florence2.datasets.checks.splits import splits_view
from florence2.datasets.checks.view import RuleBounds, View
from florence2.datasets.manifest import DatasetManifest

__all__ = ["make_views"]


def make_views(
    manifest: DatasetManifest, settings: RuleBounds, groups: NearGroups | None = None
) -> tuple[tuple[View, ...], Boxes]:
    """Derive every view of a manifest.

    Args:
        manifest: the data set, also with rows that could not be read.
        settings: bounds of the rules.
        groups: of near-identical images, if they are known from an earlier look at the same data set.

    Returns:
        The views rows, boxes, classes, images and splits, and the boxes that the second is about.
    """
    # Arrow and NumPy release the interpreter lock, and near-identical images take about as long as all the rest.
    with ThreadPoolExecutor(max_workers=1) as pool:
        of_images = pool.submit(images_view, manifest, groups or NearGroups())
        scan = scan_column(manifest.table["suffix"])
        of_rows = rows_view(manifest, scan, settings)
        boxes = boxes_of(manifest, scan)
        of_boxes = boxes_view(manifest, boxes, settings)
        of_classes = classes_view(manifest, boxes, of_boxes, settings)
        return (of_rows, of_boxes, of_classes, of_images.result(), splits_view(manifest)), boxes
