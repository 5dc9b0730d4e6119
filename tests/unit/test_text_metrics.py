"""Error rates and chrF of free text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from florence2.errors import AnswerError
from florence2.evaluation.metric import Metric
from florence2.evaluation.text import CharacterErrorRateMetric, ChrFMetric, WordErrorRateMetric

ALL: tuple[type[Metric[str, str]], ...] = (CharacterErrorRateMetric, WordErrorRateMetric, ChrFMetric)


def figure(metric: Metric[str, str], pairs: Sequence[tuple[str, str]]) -> float:
    metric.reset()
    for prediction, target in pairs:
        metric.update(prediction, target)
    return metric.compute()[metric.name]


def test_character_errors_are_edits_over_reference_characters_of_the_whole_split() -> None:
    pairs = [("kitten", "sitting"), ("abc", "abc")]
    assert figure(CharacterErrorRateMetric(), pairs) == pytest.approx(3 / 10)


def test_word_errors_are_edits_over_reference_words() -> None:
    pairs = [("the cat sat", "the cat sat down"), ("a dog", "the dog")]
    assert figure(WordErrorRateMetric(), pairs) == pytest.approx(2 / 6)


def test_blanks_and_unicode_forms_do_not_matter_but_case_does() -> None:
    assert figure(CharacterErrorRateMetric(), [(" Cafe\u0301\n au  lait", "Café au lait")]) == 0.0
    assert figure(CharacterErrorRateMetric(), [("cafe", "CAFE")]) == 1.0


def test_invented_text_lifts_the_rate_above_one() -> None:
    assert figure(WordErrorRateMetric(), [("one two three", "four")]) == 3.0


def test_chrf_is_that_of_sacrebleu_as_a_fraction() -> None:
    from sacrebleu.metrics.chrf import CHRF

    predictions, targets = ["a red ring", "two cards"], ["a red ring on wood", "three cards"]
    expected = CHRF().corpus_score(predictions, [targets]).score / 100
    assert figure(ChrFMetric(), list(zip(predictions, targets, strict=True))) == pytest.approx(expected)
    assert figure(ChrFMetric(), [("the same", "the same")]) == pytest.approx(1.0)


@pytest.mark.parametrize("kind", ALL)
def test_nothing_to_compare_with_gives_no_figure(kind: type[Metric[str, str]]) -> None:
    metric = kind()
    assert metric.compute() == {}
    metric.update("something", "")
    assert metric.compute() == {}
    assert metric.counts() == {"answers": 1}


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("prediction", ["<s>a ring</s>", "a ring</s><pad>"])
def test_special_tokens_left_in_a_text_are_refused(kind: type[Metric[str, str]], prediction: str) -> None:
    metric = kind()
    with pytest.raises(AnswerError, match="special tokens"):
        metric.update(prediction, "a ring")
    assert metric.counts() == {"answers": 0}


@given(
    st.lists(st.tuples(st.text("ab c", max_size=6), st.text("ab c", min_size=1, max_size=6)), max_size=6), st.randoms()
)
@settings(max_examples=40, deadline=None)
def test_order_decides_nothing(pairs: list[tuple[str, str]], shuffle: Any) -> None:
    pairs = [*pairs, ("a", "a b")]
    shuffled = list(pairs)
    shuffle.shuffle(shuffled)
    for kind in ALL:
        assert figure(kind(), pairs) == figure(kind(), shuffled)


def test_lower_is_better_for_error_rates_only() -> None:
    assert [kind.higher_is_better for kind in ALL] == [False, False, True]
