"""The keywords that type checkers and editors know are the settings that there are, with their types."""

from __future__ import annotations

from typing import Any, get_type_hints

import pytest

from florence2.config import AnswerKeywords, Configuration, EvaluationConfig, Keywords, leaf_paths

WIDER = {"metrics", "classes", "rules"}
"""Settings that take more than what is kept of them: any sequence, pairs as text."""


def type_of(path: tuple[str, ...]) -> Any:
    model: Any = Configuration
    for name in path[:-1]:
        model = model.model_fields[name].annotation
    return model.model_fields[path[-1]].annotation


def test_every_setting_and_every_section_is_a_keyword_and_nothing_else() -> None:
    settings = {name for name, _ in leaf_paths(Configuration)}
    assert get_type_hints(Keywords).keys() == settings | Configuration.model_fields.keys()


@pytest.mark.parametrize("setting", list(leaf_paths(Configuration)), ids=lambda setting: setting[0])
def test_a_keyword_has_the_type_of_its_setting(setting: tuple[str, tuple[str, ...]]) -> None:
    name, path = setting
    if name not in WIDER:
        assert get_type_hints(Keywords)[name] == type_of(path)


def test_what_an_answer_depends_on_is_of_the_section_evaluation() -> None:
    judging = {"metrics", "examples", "resamples"}
    assert get_type_hints(AnswerKeywords).keys() == EvaluationConfig.model_fields.keys() - judging
