"""Every setting is a keyword, and nothing else is."""

from __future__ import annotations

from typing import get_type_hints

from florence2.config import AnswerKeywords, Configuration, EvaluationConfig, Keywords, leaf_paths


def test_every_setting_and_every_section_is_a_keyword_and_nothing_else() -> None:
    settings = {name for name, _ in leaf_paths(Configuration)}
    assert get_type_hints(Keywords).keys() == settings | Configuration.model_fields.keys()


def test_an_answer_does_not_depend_on_what_scores_and_reports_need() -> None:
    scoring = {"metrics", "examples", "resamples"}
    assert get_type_hints(AnswerKeywords).keys() == EvaluationConfig.model_fields.keys() - scoring
