"""The decorator that makes a rule of a function, and findings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from florence2.config import ValidationConfig
from florence2.datasets.checks.definition import Finding, rule
from florence2.datasets.checks.views import make_views
from florence2.datasets.checks.views.rows import Row, RowsView
from florence2.errors import Florence2Error
from tests.builders import manifest


@rule(RowsView, "note", remedy="nothing to do", example="any image", tolerable=True)
def image_wide(view: RowsView) -> Finding[Row]:
    """The image is wider
    than high.
    """
    return Finding(view.table["width"] > view.table["height"], lambda row: f"{row['image']} is wide")


def test_name_and_docstring_become_code_and_sentence() -> None:
    assert (image_wide.code, image_wide.sentence) == ("image-wide", "The image is wider than high.")
    assert (image_wide.view, image_wide.tolerable, image_wide.repair) == (RowsView, True, None)


def test_a_finding_holds_positions_and_words() -> None:
    view = make_views(manifest({"width": 5}, {"width": None}, {}), ValidationConfig()).rows
    finding = image_wide.check(view)
    assert (finding.checked, finding.positions.tolist()) == (3, [2])
    (row,) = view.items(finding.positions)
    assert (finding.message(row), finding.value(row)) == ("train/3.png is wide", row["suffix"])


def test_a_finding_can_show_another_value() -> None:
    finding: Finding[Row] = Finding(np.array([True]), lambda row: "", lambda row: row["line"])
    assert finding.value(Row(0, {"line": 9})) == 9


def test_missing_flags_count_as_false() -> None:
    flags = pd.Series([True, None, False], dtype="boolean")
    assert Finding[Row](flags, lambda row: "").positions.tolist() == [0]


def test_a_rule_that_does_not_flag_each_item_is_an_error() -> None:
    @rule(RowsView, "note", remedy="none", example="none")
    def two_flags(view: RowsView) -> Finding[Row]:
        """Always."""
        return Finding(np.ones(2, dtype=bool), lambda row: "")

    with pytest.raises(Florence2Error, match=r"rule two-flags of .* returned 2 flags for the 3 items of the view rows"):
        two_flags.check(make_views(manifest({}, {}, {}), ValidationConfig()).rows)
