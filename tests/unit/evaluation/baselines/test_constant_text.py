"""Texts without the image: a typical training answer, or none where none is better."""

from __future__ import annotations

from florence2.codec.tasks import TASKS
from florence2.evaluation.baselines.constant_text import ConstantText
from florence2.evaluation.baselines.known_answer import KnownAnswer
from florence2.evaluation.metrics.cider import CIDErMetric
from florence2.evaluation.metrics.regions import MeanIoUMetric
from florence2.evaluation.metrics.text import CharacterErrorRateMetric


def known(*answers: str) -> list[KnownAnswer]:
    return [KnownAnswer("", answer, (20, 10)) for answer in answers]


def test_the_caption_that_shares_most_with_the_others_is_taken() -> None:
    captions = [f"a dog on the {where}" for where in ("grass", "beach", "road", "sofa")]
    chosen = ConstantText.fit(TASKS["<CAPTION>"], CIDErMetric, known("two red cars", *captions, "a cat"))
    assert chosen.text in captions
    assert chosen.guess("", (20, 10)) == (chosen.text, None)


def test_texts_that_have_nothing_in_common_are_guessed_by_the_empty_one() -> None:
    texts = known("aaaa", "bbbbbb", "cc", "ddddd")
    assert ConstantText.fit(TASKS["<OCR>"], CharacterErrorRateMetric, texts).text == ""


def test_a_text_is_not_compared_with_itself() -> None:
    assert ConstantText.fit(TASKS["<OCR>"], CharacterErrorRateMetric, known("abc", "xyzuvw")).text == ""


def test_outlines_are_relative_to_the_image_and_are_guessed_as_texts() -> None:
    square = "<loc_100><loc_100><loc_900><loc_100><loc_900><loc_900><loc_100><loc_900>"
    small = "<loc_0><loc_0><loc_50><loc_0><loc_50><loc_50>"
    task = TASKS["<REFERRING_EXPRESSION_SEGMENTATION>"]
    assert ConstantText.fit(task, MeanIoUMetric, known(square, small, square, square)).text == square


def test_without_a_metric_the_most_frequent_text_is_taken() -> None:
    assert ConstantText.fit(TASKS["<CAPTION>"], None, known("a", "b", "b")).text == "b"
    assert ConstantText.fit(TASKS["<CAPTION>"], None, []).text == ""
