"""The scores of COCO files are those of pycocotools."""

from __future__ import annotations

import json
from typing import Any

import pytest

from florence2.evaluation.metrics.coco import SCORE_NAMES, coco_scores
from tests import ROOT

ORACLE = json.loads((ROOT / "tests" / "oracles" / "coco_map.json").read_text())


@pytest.mark.parametrize("problem", ORACLE["problems"], ids=lambda problem: problem["note"])
def test_equals_the_scores_of_pycocotools(problem: dict[str, Any]) -> None:
    evaluated = coco_scores(problem["gt"], problem["dt"])
    for name, key in zip(SCORE_NAMES, ORACLE["order"], strict=True):
        assert evaluated.scores.get(name, -1) == pytest.approx(problem["expected"][key], abs=1e-6)
    for category_id, expected in problem["per_class"].items():
        scores = evaluated.per_class.get(int(category_id), {})
        for key, value in expected.items():
            assert scores.get(key.lower(), -1) == pytest.approx(value, abs=1e-6)
