from __future__ import annotations

import pytest

from docs.generator.tasks import example_prompt, tasks_page
from florence2.codec import TASKS
from florence2.evaluation.metrics.registry import METRICS
from florence2.evaluation.scores import SCORES


def test_every_task_metric_and_score_is_in_the_reference() -> None:
    page = tasks_page()
    for name in (*TASKS, *METRICS, *SCORES):
        assert f"`{name}`" in page


@pytest.mark.parametrize(
    ("token", "prompt"),
    [
        ("<OD>", "<OD>"),
        ("<VQA>", "<VQA>How many cars are there?"),
        ("<REGION_TO_OCR>", "<REGION_TO_OCR><loc_100><loc_200><loc_300><loc_400>"),
    ],
)
def test_a_prompt_has_the_text_that_its_task_takes(token: str, prompt: str) -> None:
    assert example_prompt(TASKS[token]) == prompt
