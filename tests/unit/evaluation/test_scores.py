"""The table of scores, and the scores of metrics of others."""

from __future__ import annotations

import pytest

from florence2.evaluation import scores
from florence2.evaluation.metrics.score import Score
from florence2.evaluation.scores import SCORES, declare_scores, in_order, score_named


def test_known_names_are_in_the_order_of_the_table_and_others_follow() -> None:
    assert in_order(["zebra", "map", "apple", "map50", "map"]) == ["map50", "map", "apple", "zebra"]


def test_an_unknown_score_has_its_name_as_title() -> None:
    assert score_named("made_up") == Score("made_up", "made_up")


def test_a_declared_score_is_found_and_replaces_none_of_this_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "_OF_OTHERS", {})
    typos = Score("typos", "Typing errors", higher_is_better=False)
    declare_scores([typos, Score("map50", "Another title")])
    assert score_named("typos") == typos
    assert score_named("map50") is SCORES["map50"]
