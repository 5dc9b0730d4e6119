"""Questions without the image: which variant is chosen, and what an unknown question gets."""

from __future__ import annotations

from florence2.codec.tasks import TASKS
from florence2.evaluation.baselines.frequent_answers import FrequentAnswers
from florence2.evaluation.baselines.known_answer import KnownAnswer
from florence2.evaluation.metrics.answers import VQAAccuracyMetric

VQA = TASKS["<VQA>"]


def known(*pairs: tuple[str, str]) -> list[KnownAnswer]:
    return [KnownAnswer(question, answer, (20, 10)) for question, answer in pairs]


def fitted(*pairs: tuple[str, str]) -> FrequentAnswers:
    return FrequentAnswers.fit(VQA, VQAAccuracyMetric, known(*pairs))


def test_the_text_of_the_question_is_used_where_it_says_most() -> None:
    guess = fitted(*[("is it red?", "no"), ("is it round?", "yes"), ("what is it?", "a ball")] * 10)
    assert [guess.answer(text) for text in ("Is it  red?", "is it round?", "what is it?")] == ["no", "yes", "a ball"]


def test_an_unknown_question_gets_the_answer_of_its_first_word_and_then_that_of_all() -> None:
    guess = fitted(*[("is it red?", "no"), ("is it round?", "yes"), ("is it red?", "no"), ("what is it?", "cube")] * 10)
    assert guess.answer("is it new?") == "no"
    assert guess.answer("who is it?") == "no"


def test_where_each_question_is_written_once_its_text_is_not_chosen() -> None:
    guess = fitted(*[(f"{word} thing number {index}?", word) for index in range(40) for word in ("is", "what")])
    assert len(guess.tables) == 2
    assert guess.answer("what is new?") == "what"


def test_where_no_variant_is_better_the_answer_is_one_for_all() -> None:
    guess = fitted(*[(f"is it {index}?", "yes" if index % 3 else "no") for index in range(60)])
    assert len(guess.tables) == 1
    assert guess.answer("what?") == "yes"


def test_answers_that_differ_in_case_are_counted_together() -> None:
    guess = fitted(*[("is it?", answer) for answer in ["Yes", "Yes", "yes", "no", "no"] * 4])
    assert guess.answer("is it?") == "Yes"


def test_without_a_metric_or_with_few_questions_there_is_still_an_answer() -> None:
    assert FrequentAnswers.fit(VQA, None, known(("is it?", "no"), ("is it?", "no"))).answer("is it?") == "no"
    assert fitted(("is it?", "no")).answer("what?") == "no"
    assert FrequentAnswers.fit(VQA, VQAAccuracyMetric, []).answer("what?") == ""
