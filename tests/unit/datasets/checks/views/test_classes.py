"""Class names as items: each spelling once."""

from __future__ import annotations

import numpy as np

from florence2.config import ValidationConfig
from florence2.datasets.checks.views import make_views
from florence2.datasets.checks.views.classes import ClassesView
from tests.builders import manifest
from tests.rules import BOX, OTHER, task


def view(*rows: dict[str, object] | dict[str, str]) -> ClassesView:
    return make_views(manifest(*rows), ValidationConfig()).classes


def test_a_spelling_is_located_by_its_first_box() -> None:
    classes = view({"suffix": f"dog{BOX}"}, {"suffix": f" cat{BOX} cat{OTHER}", "box_lines": "5 8"})
    _, cat = classes.items(np.arange(2))
    assert (cat.value, cat.tidied, cat.boxes) == (" cat", "cat", 2)
    assert (cat.row, cat.file, cat.line) == (1, "train/annotations.jsonl", 5)


def test_two_spellings_of_one_class_share_its_counts() -> None:
    classes = view({"suffix": f"cat{BOX}"}, {"suffix": f"cat {BOX}"})
    assert classes.table["name"].tolist() == ["cat", "cat "]
    assert classes.table["trained"].tolist() == [2, 2]
    assert classes.rows_of(np.array([1])).tolist() == [1]


def test_phrases_have_no_counts() -> None:
    classes = view(task("<CAPTION_TO_PHRASE_GROUNDING>", f"a cat{BOX}", "a cat"))
    assert classes.table["name"].tolist() == ["a cat"]
    assert classes.table["total"].isna().all()
