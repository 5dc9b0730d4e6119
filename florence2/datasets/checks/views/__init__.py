"""All views of a manifest; its answers are scanned once for all of them."""

from __future__ import annotations

from typing import Any, NamedTuple

from florence2.codec import scan_column
from florence2.config import ValidationConfig
from florence2.datasets.boxes import boxes_of
from florence2.datasets.checks.definition import Rule
from florence2.datasets.checks.view import View
from florence2.datasets.checks.views.boxes import BoxesView
from florence2.datasets.checks.views.classes import ClassesView
from florence2.datasets.checks.views.images import ImagesView, NearGroups
from florence2.datasets.checks.views.rows import AnswerLimit, RowsView
from florence2.datasets.checks.views.splits import SplitsView
from florence2.datasets.manifest import DatasetManifest

__all__ = ["VIEWS", "Views", "make_views"]


class Views(NamedTuple):
    """The views of a manifest, in the order in which their rules are checked and shown."""

    rows: RowsView
    boxes: BoxesView
    classes: ClassesView
    images: ImagesView
    splits: SplitsView

    def of(self, rule: Rule) -> View[Any]:
        """Return the view that a rule looks at."""
        return next(view for view in self if type(view) is rule.view)


VIEWS: tuple[type[View[Any]], ...] = (RowsView, BoxesView, ClassesView, ImagesView, SplitsView)
"""The classes of the views, in the same order."""


def make_views(
    manifest: DatasetManifest,
    config: ValidationConfig,
    limit: AnswerLimit | None = None,
    groups: NearGroups | None = None,
) -> Views:
    """Make every view of a manifest.

    Args:
        manifest: the data set, also with rows that could not be read.
        config: bounds of the rules.
        limit: how long an answer may be; None where the length is not checked.
        groups: of near-identical images, if some are known from an earlier check of the same data set.
    """
    images = ImagesView(manifest, config, groups or NearGroups())
    scan = scan_column(manifest.table["suffix"])
    boxes = BoxesView(manifest, config, boxes_of(manifest, scan))
    rows = RowsView(manifest, config, scan, limit)
    return Views(rows, boxes, ClassesView(boxes), images, SplitsView(manifest, config))
