"""Image files as items, and the rows that show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from florence2.config import ValidationConfig
from florence2.datasets.checks.views import make_views
from florence2.datasets.checks.views.images import ImagesView, NearGroups
from tests.builders import manifest, signatures


def view(*rows: dict[str, Any], images: dict[str, Any] | None = None) -> ImagesView:
    return make_views(manifest(*rows, images=images), ValidationConfig()).images


def test_an_image_is_located_by_its_path_behind_all_rows() -> None:
    images = view({}, {}, images={"z.png": {"mode": "L"}})
    _, _, unused = images.items(np.arange(3))
    assert (unused.file, unused.line, unused.row, unused["mode"]) == ("z.png", 0, 2, "L")


def test_rows_are_found_by_their_images() -> None:
    images = view({"image": "a.png"}, {"image": "b.png"}, {"image": "a.png"}, images={"z.png": {}})
    assert images.image_of_row.tolist() == [0, 1, 0]
    assert images.rows_of(np.array([0])).tolist() == [0, 2]
    assert images.rows_of(np.array([2])).tolist() == []


def test_the_row_of_a_later_split_with_nearly_the_same_image() -> None:
    (one,) = signatures(1)
    files = {f"train/{line}.png": {"signature": one} for line in (1, 2)}
    assert view({}, {"split": "test"}, images=files).nearly_equal_row.tolist() == [1, -1]
    same = {"sha256": "same"}
    assert view(same, same | {"split": "test"}, images=files).nearly_equal_row.tolist() == [-1, -1], "exactly the same"
    assert view({}, {}, images=files).nearly_equal_row.tolist() == [-1, -1], "one split"


def test_groups_are_searched_again_only_for_new_images(monkeypatch: pytest.MonkeyPatch) -> None:
    searches: list[list[str]] = []

    def group(texts: Sequence[str]) -> Any:
        searches.append(list(texts))
        return np.arange(len(texts))

    monkeypatch.setattr("florence2.datasets.checks.views.images.group_near_identical", group)
    groups = NearGroups()
    assert groups.of(["a", "b"]).tolist() == [0, 1]
    assert groups.of(["b"]).tolist() == [1]
    assert groups.of(["b", "c"]).tolist() == [0, 1]
    assert searches == [["a", "b"], ["b", "c"]]
