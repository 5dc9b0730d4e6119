"""Metrics of short answers to questions: VQA accuracy, ANLS, relaxed accuracy, and plain equality.

VQA accuracy follows the official VQAv2 evaluation (https://visualqa.org/evaluation.html; program
GT-Vision-Lab/VQA, ``vqaEval.py``, commit a013f00, BSD-2-Clause), peculiarities included, so that published
scores can be compared. ANLS follows Biten et al., Scene Text Visual Question Answering (arXiv 1905.13648),
relaxed accuracy Masry et al., ChartQA (arXiv 2203.10244).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar

from rapidfuzz.distance import Levenshtein

from florence2.codec import AnswerKind
from florence2.evaluation.metrics.metric import AnswerMetric, references
from florence2.evaluation.metrics.score import Score

__all__ = [
    "ANLSMetric",
    "ExactAnswerMetric",
    "RelaxedAccuracyMetric",
    "VQAAccuracyMetric",
    "anls",
    "is_about_equal",
    "normalize_answer",
    "vqa_accuracy",
]

_TOLERANCE = Decimal("0.05")
_NUMBER = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)(%?)")

_PUNCTUATION = ';/[]"{}()=+\\_->@`<,?!'
_COMMA_BETWEEN_DIGITS = re.compile(r"\d,\d")
_PERIOD = re.compile(r"\.(?!\d)")
_MOST_PERIODS = 32
"""The official program passes a flag of value 32 where the number of replacements is meant."""
_ARTICLES = {"a", "an", "the"}
_NUMBERS = {"none": "0", "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5"}
_NUMBERS |= {"six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10"}
_CONTRACTED = """
    ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't he'd
    he'd've he's how'd how'll how's isn't it'd it'd've it'll ma'am might've mightn't mightn't've must've mustn't
    needn't not've o'clock oughtn't 'ow's'at shan't she'd've should've shouldn't shouldn't've somebody'd've
    somebody'll somebody's someone'd someone'd've someone'll someone's something'd something'd've something'll
    that's there'd there'd've there're there's they'd they'd've they'll they're they've 'twas wasn't we'd've we've
    weren't what'll what're what's what've when's where'd where's where've who'd who'd've who'll who's who've why'll
    why're why's won't would've wouldn't wouldn't've y'all y'all'd've y'all'll you'd you'd've you'll you're you've
"""


def _table_of_contractions() -> dict[str, str]:
    """Map each contraction written with one apostrophe too few to its full form."""
    table = {"somebody'd": "somebodyd"}  # the official table has this one the wrong way round
    for word in _CONTRACTED.split():
        for position in (index for index, letter in enumerate(word) if letter == "'"):
            table[word[:position] + word[position + 1 :]] = word
    return table


_CONTRACTIONS = _table_of_contractions()


class VQAAccuracyMetric(AnswerMetric):
    """Accuracy of answers as in VQAv2; normalised exact match where there is a single reference answer."""

    name: ClassVar[str] = "vqa_accuracy"
    scores: ClassVar[tuple[Score, ...]] = (
        Score(name, "VQA accuracy", "share of questions answered right", headline=True),
    )
    default_for: ClassVar[tuple[AnswerKind | str, ...]] = (AnswerKind.ANSWER, "<DocVQA>")
    scored_task: ClassVar[str] = "vqa"

    def score(self, prediction: str, target: str | Sequence[str]) -> float:
        """Return the accuracy of one answer, in 0..1; see ``vqa_accuracy``."""
        return vqa_accuracy(prediction, references(target))

    def describe(self) -> str:
        """Say what the score means."""
        return (
            "Share of right answers after the official VQAv2 normalisation (case, punctuation, articles, number "
            "words, contractions). With several reference answers an answer that three other people gave is right."
        )


class ANLSMetric(AnswerMetric):
    """Average normalised Levenshtein similarity, the measure of DocVQA, with its threshold of 0.5."""

    name: ClassVar[str] = "anls"
    scores: ClassVar[tuple[Score, ...]] = (
        Score(name, "ANLS", "similarity to the nearest right answer", headline=True),
    )
    default_for: ClassVar[tuple[AnswerKind | str, ...]] = ("<DocVQA>",)
    scored_task: ClassVar[str] = "docvqa"

    def score(self, prediction: str, target: str | Sequence[str]) -> float:
        """Return the similarity of one answer, in 0..1; see ``anls``."""
        return anls(prediction, references(target))

    def describe(self) -> str:
        """Say what the score means."""
        return (
            "Average normalised Levenshtein similarity: 1 minus edits divided by the longer text, to the nearest "
            "reference answer; below 0.5 it counts as 0. Case and repeated blanks do not matter."
        )


class ExactAnswerMetric(AnswerMetric):
    """Share of answers equal to a reference letter by letter; for answers without a metric of their own."""

    name: ClassVar[str] = "exact_answer"
    scores: ClassVar[tuple[Score, ...]] = (
        Score(name, "Exact answers", "answers equal letter by letter", headline=True),
    )
    scored_task: ClassVar[str] = "exact"

    def score(self, prediction: str, target: str | Sequence[str]) -> float:
        """Return 1 for a text equal to a reference, else 0; blanks at the ends do not matter."""
        return float(prediction.strip() in [answer.strip() for answer in references(target)])

    def describe(self) -> str:
        """Say what the score means."""
        return "Share of answers that equal a reference answer letter by letter; only blanks at the ends do not matter."


class RelaxedAccuracyMetric(AnswerMetric):
    """Relaxed accuracy, the measure of ChartQA: numbers may be 5 % off."""

    name: ClassVar[str] = "relaxed_accuracy"
    scores: ClassVar[tuple[Score, ...]] = (
        Score(name, "Relaxed accuracy", "questions answered right, numbers up to 5 % off", headline=True),
    )
    scored_task: ClassVar[str] = "chartqa"

    def score(self, prediction: str, target: str | Sequence[str]) -> float:
        """Return 1 for a right answer, else 0; see ``is_about_equal``."""
        return float(any(is_about_equal(prediction, answer) for answer in references(target)))

    def describe(self) -> str:
        """Say what the score means."""
        return (
            "Share of right answers as ChartQA counts them: a number may be 5 % off the reference number, other "
            "answers must be equal but for case. 50% is the number 0.5."
        )


def vqa_accuracy(prediction: str, answers: Sequence[str]) -> float:
    """Return the accuracy of an answer by the official VQAv2 formula.

    The accuracy is the mean over the reference answers of ``min(equal answers among the others / 3, 1)``. As in
    the official program, unanimous references switch normalisation off. A single reference would always give 0
    there, since no others are left; here it gives normalised exact match, which is what a data set with one
    answer a question needs. Answers are distinguished by position, as by ``answer_id`` in VQAv2.

    Args:
        prediction: the answer of the model.
        answers: one or more reference answers.

    Returns:
        The accuracy in 0..1. With two or three references it stays below 1 by construction.
    """
    given = _strip(prediction)
    expected = [_strip(answer) for answer in answers]
    if len(expected) == 1:
        return float(_equal_normalised(given, expected[0]))
    if len(set(expected)) > 1:
        given, expected = normalize_answer(given), [normalize_answer(answer) for answer in expected]
    matches = [answer == given for answer in expected]
    return sum(min((sum(matches) - match) / 3, 1.0) for match in matches) / len(matches)


def _equal_normalised(given: str, expected: str) -> bool:
    normal = normalize_answer(expected)
    if not normal:
        # An answer such as "A" or "?" is empty after normalisation; without this an empty prediction would be right.
        return given.lower() == expected.lower()
    return normalize_answer(given) == normal


def _strip(answer: str) -> str:
    return answer.replace("\n", " ").replace("\t", " ").strip()


def normalize_answer(answer: str) -> str:
    """Return an answer as VQAv2 compares it: punctuation, then case, number words, articles and contractions.

    A punctuation mark becomes a blank; it is removed if one of its kind is next to a blank, or a comma between
    digits is anywhere in the answer ("1,000" is "1000"). A period is removed unless a digit follows.
    """
    text = answer
    comma_between_digits = _COMMA_BETWEEN_DIGITS.search(answer) is not None
    for mark in _PUNCTUATION:
        next_to_blank = f"{mark} " in answer or f" {mark}" in answer
        text = text.replace(mark, "" if next_to_blank or comma_between_digits else " ")
    text = _PERIOD.sub("", text, count=_MOST_PERIODS)
    words = [_NUMBERS.get(word, word) for word in text.lower().split()]
    return " ".join(_CONTRACTIONS.get(word, word) for word in words if word not in _ARTICLES)


def anls(prediction: str, answers: Sequence[str], threshold: float = 0.5) -> float:
    """Return the normalised Levenshtein similarity of an answer to the nearest reference.

    Programs disagree on three points. Here, as in the evaluation server of the DocVQA challenge: a similarity of
    exactly the threshold counts, repeated blanks are one blank, and the word "none" is a word like any other.

    Args:
        prediction: the answer of the model.
        answers: one or more reference answers.
        threshold: a similarity below it counts as 0.

    Returns:
        The similarity in 0..1.
    """
    given = _fold(prediction)
    best = max(Levenshtein.normalized_similarity(given, _fold(answer)) for answer in answers)
    return best if best >= threshold else 0.0


def is_about_equal(prediction: str, answer: str) -> bool:
    """Return whether an answer is right by the relaxed accuracy of ChartQA (Masry et al. 2022): numbers may be 5 % off.

    What the paper leaves open is chosen as in the program with which published models are measured
    (google-research/pix2struct, ``metrics.py``): a percentage is a hundredth, so 50% is 0.5 and not 50; a number with
    separators between its thousands is a text. Two points differ, where that program follows the accidents of floating
    point: exactly 5 % off is right, and to a reference of 0 any spelling of 0 is equal ("0.0").

    Args:
        prediction: the answer of the model.
        answer: the reference answer.
    """
    given, expected = _number(prediction), _number(answer)
    if given is None or expected is None:
        return prediction.strip().lower() == answer.strip().lower()
    return abs(given - expected) <= abs(expected) * _TOLERANCE


def _number(answer: str) -> Decimal | None:
    """Return the number that an answer is, exactly as it is written; None where it is none."""
    match = _NUMBER.fullmatch(answer.strip())
    if match is None:
        return None
    return Decimal(match[1]) / (100 if match[2] else 1)


def _fold(answer: str) -> str:
    return " ".join(answer.lower().split())
