"""Error rates of what is written in an image."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from florence2.errors import AnswerError
from florence2.evaluation.metrics.metric import Metric
from florence2.evaluation.metrics.text import CharacterErrorRateMetric, WordErrorRateMetric

ALL: tuple[type[Metric[str, str | Sequence[str]]], ...] = (CharacterErrorRateMetric, WordErrorRateMetric)


def score(metric: Metric[str, str | Sequence[str]], pairs: Sequence[tuple[str, str]]) -> float:
    metric.reset()
    for prediction, target in pairs:
        metric.update(prediction, target)
    return metric.compute()[metric.name]


def test_character_errors_are_edits_over_reference_characters_of_the_whole_split() -> None:
    pairs = [("kitten", "sitting"), ("abc", "abc")]
    assert score(CharacterErrorRateMetric(), pairs) == pytest.approx(3 / 10)


def test_word_errors_are_edits_over_reference_words() -> None:
    pairs = [("the cat sat", "the cat sat down"), ("a dog", "the dog")]
    assert score(WordErrorRateMetric(), pairs) == pytest.approx(2 / 6)


def test_blanks_and_unicode_forms_do_not_matter_but_case_does() -> None:
    assert score(CharacterErrorRateMetric(), [(" Cafe\u0301\n au  lait", "Café au lait")]) == 0.0
    assert score(CharacterErrorRateMetric(), [("cafe", "CAFE")]) == 1.0


def test_invented_text_lifts_the_rate_above_one() -> None:
    assert score(WordErrorRateMetric(), [("one two three", "four")]) == 3.0


def test_of_several_references_the_nearest_counts() -> None:
    metric = WordErrorRateMetric()
    metric.update("exit five", ["way out", "exit 5"])
    assert metric.compute() == {"word_error_rate": 0.5}


def test_a_sample_without_reference_text_has_no_value() -> None:
    metric = CharacterErrorRateMetric()
    metric.update("abc", "abd")
    metric.update("invented", "")
    assert metric.values()[0] == pytest.approx(1 / 3)
    assert math.isnan(metric.values()[1])
    assert metric.compute()["character_error_rate"] == pytest.approx(9 / 3)


@pytest.mark.parametrize("kind", ALL)
def test_nothing_to_compare_with_gives_no_score(kind: type[Metric[str, str | Sequence[str]]]) -> None:
    metric = kind()
    assert metric.compute() == {}
    metric.update("something", "")
    assert metric.compute() == {}
    assert metric.counts() == {"answers": 1}


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("prediction", ["<s>a ring</s>", "a ring</s><pad>"])
def test_special_tokens_left_in_a_text_are_refused(
    kind: type[Metric[str, str | Sequence[str]]], prediction: str
) -> None:
    metric = kind()
    with pytest.raises(AnswerError, match="special tokens"):
        metric.update(prediction, "a ring")
    assert metric.counts() == {"answers": 0}
