"""A model that was trained on answers of other images: its report says first that it is worth nothing."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

import florence2
from florence2.reports.evaluation.verdict import verdict_on
from tests.builders import write_lines, write_scenes

pytestmark = pytest.mark.integration


def shuffle_answers(file: Path) -> None:
    """Give each sample the answer of another one with the same prompt."""
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for prefix in {line["prefix"] for line in lines}:
        of_prompt = [line for line in lines if line["prefix"] == prefix]
        answers = [line["suffix"] for line in of_prompt]
        random.Random(0).shuffle(answers)
        for line, answer in zip(of_prompt, answers, strict=True):
            line["suffix"] = answer
    write_lines(file, lines)


def test_a_model_that_was_trained_on_shuffled_answers_is_worth_nothing(tmp_path: Path) -> None:
    root = write_scenes(tmp_path / "scenes", train=12, valid=2, test=16)
    shuffle_answers(root / "train" / "annotations.jsonl")
    settings = {"dataset": root, "base": "builtin:nano", "epochs": 1, "max_new_tokens": 16, "resamples": 200}
    result = florence2.train(settings, tmp_path / "runs")
    verdict = verdict_on(result.report.after)
    assert verdict is not None
    assert verdict.text.startswith("This model is worth nothing: answers without seeing the image score ")
    assert verdict.tone == "bad"
    assert result.report.advice
    assert result.baseline_metrics["vqa_accuracy"] == 0.5
    page = (result.folder / "report" / "report.html").read_text()
    assert page.index('class="lead verdict bad"') < page.index("Before</th>")
    score = json.loads((result.folder / "metrics.json").read_text())["scores"]["map50"]
    assert score["over_baseline_interval"][0] <= 0
