"""What a sample and its prediction say together."""

from __future__ import annotations

from pathlib import Path

from florence2.evaluation.evaluated_sample import EvaluatedSample
from florence2.inference.generation import Prediction
from florence2.model.processing import Sample


def evaluated(prefix: str) -> EvaluatedSample:
    sample = Sample(Path("/data/test/a.png"), prefix, "two", (64, 48))
    return EvaluatedSample(
        "test/a.png", sample, Prediction("2", None, truncated=True, malformed=3), "vqa_accuracy", 1.0
    )


def test_prompt_target_and_answer_are_those_of_sample_and_prediction() -> None:
    found = evaluated("<VQA>how many?")
    assert (found.prefix, found.target, found.text) == ("<VQA>how many?", "two", "2")
    assert (found.resolution_wh, found.truncated, found.malformed) == ((64, 48), True, 3)


def test_only_a_task_with_questions_has_a_question() -> None:
    assert evaluated("<VQA>how many?").question == "how many?"
    assert evaluated("<CAPTION>").question is None
