"""Splits as items."""

from __future__ import annotations

import numpy as np

from florence2.config import ValidationConfig
from florence2.datasets.checks.views import make_views
from tests.builders import manifest


def test_a_split_has_its_rows_counted_and_no_line() -> None:
    splits = make_views(manifest({}, {}, {"split": ""}, splits=["test"]), ValidationConfig()).splits
    assert splits.table.to_numpy().tolist() == [["train", 2], ["test", 0]]
    (test,) = splits.items(np.array([1]))
    assert (test.file, test.value, test.line, test.row) == ("test", "test", 0, 3)
    assert splits.rows_of(np.array([0])).tolist() == []
