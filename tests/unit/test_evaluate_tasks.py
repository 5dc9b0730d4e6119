"""A set of every task is evaluated by the metric of each, also where a model answers nothing that can be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from florence2.codec.tasks import TASKS
from florence2.config import EvaluationConfig, ModelConfig
from florence2.data.formats import read_dataset
from florence2.evaluation.evaluate import Answers, evaluate_split
from florence2.evaluation.figures import FIGURES
from florence2.model.base import load_base
from tests.builders import annotation, write_dataset

BOX = "<loc_100><loc_200><loc_300><loc_400>"
SUFFIXES = {
    "<OD>": f"cat{BOX}",
    "<DENSE_REGION_CAPTION>": f"a cat on a mat{BOX}",
    "<CAPTION_TO_PHRASE_GROUNDING>": f"a cat{BOX}",
    "<OPEN_VOCABULARY_DETECTION>": f"cat{BOX}",
    "<REGION_PROPOSAL>": BOX,
    "<OCR_WITH_REGION>": f"EXIT{BOX}<loc_300><loc_500><loc_100><loc_500>",
    "<REFERRING_EXPRESSION_SEGMENTATION>": f"{BOX}<loc_100><loc_500><sep>{BOX}<loc_5><loc_6>",
    "<REGION_TO_SEGMENTATION>": f"{BOX}<loc_100><loc_500>",
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    lines = [
        annotation(f"{index}-{copy}.png", token + "a cat" * task.takes_input, SUFFIXES.get(token, "a cat"))
        for index, (token, task) in enumerate(TASKS.items())
        for copy in range(2)
    ]
    root = write_dataset(Path(tmp_path_factory.mktemp("tasks")), {"test": lines})
    config = EvaluationConfig(max_new_tokens=8, eval_batch_size=16)
    return evaluate_split(load_base(ModelConfig()), "base", read_dataset(root).select("test"), config)


def test_each_task_has_its_figures(answers: Answers) -> None:
    figures = answers.evaluation.metrics
    headlines = {"map", "grounding_accuracy", "mean_iou", "ocr_region_f1", "vqa_accuracy", "anls", "cider"}
    assert headlines | {"character_error_rate", "word_error_rate", "bleu", "rouge_l", "chrf"} <= figures.keys()
    assert figures.keys() <= FIGURES.keys()


def test_what_was_judged_is_counted(answers: Answers) -> None:
    counts = answers.evaluation.counts
    assert counts["annotations"] == 2 * len(TASKS)
    assert counts["truths"] == 2 * 4  # the tasks with boxes but for grounding, and the proposals
    assert counts["phrases"] == counts["true_regions"] == 2
    assert "malformed_outlines" in counts
