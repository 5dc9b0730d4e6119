"""What is known of the training split without its images, and what a guess is worth on it."""

from __future__ import annotations

import math

import numpy as np

from florence2.codec.tasks import TASKS
from florence2.evaluation.baselines.known_answer import KnownAnswer, chosen_indices, known_answers, score_guesses
from florence2.evaluation.metrics.answers import VQAAccuracyMetric
from florence2.evaluation.metrics.text import CharacterErrorRateMetric
from tests.builders import manifest


def test_answers_are_kept_by_task_without_rows_whose_image_cannot_be_read() -> None:
    known = known_answers(
        manifest(
            {"prefix": "<VQA> how many? ", "task": "<VQA>", "suffix": "2"},
            {"suffix": "cat<loc_1><loc_2><loc_3><loc_4>"},
            {"prefix": "<VQA>how many?", "task": "<VQA>", "suffix": "3", "image_error": "is cut"},
        )
    )
    assert known == {
        "<VQA>": [KnownAnswer("how many?", "2", (20, 10))],
        "<OD>": [KnownAnswer("", "cat<loc_1><loc_2><loc_3><loc_4>", (20, 10))],
    }


def test_a_selection_is_the_same_each_time_and_in_order() -> None:
    assert chosen_indices(3, 5).tolist() == [0, 1, 2]
    chosen = chosen_indices(1000, 50)
    assert np.array_equal(chosen, chosen_indices(1000, 50))
    assert np.array_equal(chosen, np.unique(chosen))
    assert len(chosen) == 50


def test_a_larger_worth_is_better_also_for_error_rates() -> None:
    known = [KnownAnswer("", "abcd", (20, 10)), KnownAnswer("", "abcd", (20, 10))]
    assert score_guesses(TASKS["<OCR>"], CharacterErrorRateMetric, known, lambda _, __: "abc") == -0.25
    assert score_guesses(TASKS["<OCR>"], CharacterErrorRateMetric, known, lambda _, __: "") == -1.0
    right = score_guesses(TASKS["<VQA>"], VQAAccuracyMetric, known, lambda index, _: "abcd" if index else "x")
    assert right == 0.5


def test_a_score_that_is_not_defined_is_worth_least() -> None:
    assert score_guesses(TASKS["<OCR>"], CharacterErrorRateMetric, [], lambda _, __: "") == -math.inf
