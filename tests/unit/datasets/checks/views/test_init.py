"""All views of a manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from florence2.config import ValidationConfig
from florence2.datasets.checks.rules import RULES
from florence2.datasets.checks.views import VIEWS, make_views
from tests.builders import manifest

MANIFESTS: dict[str, list[Mapping[str, Any]]] = {
    "empty": [],
    "good": [{}, {"split": "test"}],
    "bad": [{"image_error": "missing: no"}, {"line_error": "x", "suffix": ""}, {"suffix": "cat"}],
}


def test_every_rule_finds_its_view() -> None:
    views = make_views(manifest({}), ValidationConfig())
    assert tuple(type(view) for view in views) == VIEWS
    for rule in RULES:
        assert isinstance(views.of(rule), rule.view)


@pytest.mark.parametrize("rows", MANIFESTS.values(), ids=MANIFESTS.keys())
def test_every_rule_flags_each_item_whatever_the_rows(rows: list[Mapping[str, Any]]) -> None:
    views = make_views(manifest(*rows), ValidationConfig())
    for rule in RULES:
        assert rule.check(views.of(rule)).checked == len(views.of(rule).table), rule.code


def test_every_item_says_where_it_stands() -> None:
    rows = manifest({"suffix": "cat<loc_1><loc_2><loc_3><loc_4>", "line": 7}, splits=["valid"])
    for view in make_views(rows, ValidationConfig()):
        for item in view.items(np.arange(len(view.table))):
            assert item.file
            assert 0 <= item.row <= len(rows)
            assert item.line in (0, 7)
            assert str(item.value)
