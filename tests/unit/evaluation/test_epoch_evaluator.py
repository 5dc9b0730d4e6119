"""The validation within a training: the scores are those of an evaluation, and some answers are shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from PIL import Image

from florence2.config import EvaluationConfig, ModelConfig, TrainingConfig
from florence2.datasets.formats import read_dataset
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import ConfigurationError
from florence2.evaluation.epoch_evaluator import EpochEvaluator
from florence2.evaluation.evaluate import evaluate_split
from florence2.inference.generation import Prediction, predict
from florence2.model.base import load_base
from florence2.model.florence import Florence2
from florence2.model.processing import Sample
from florence2.training.monitoring import Evaluator
from tests.builders import write_scenes

SHORT = EvaluationConfig(max_new_tokens=16, eval_batch_size=8)
Shown = list[tuple[tuple[int, int], int]]


@pytest.fixture(scope="module")
def nano() -> Florence2:
    return load_base(ModelConfig())


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> DatasetManifest:
    return read_dataset(write_scenes(tmp_path_factory.mktemp("scenes"))).select("valid")


def judge_of(
    valid: DatasetManifest, best_by: str = "loss", preview: int = 0, evaluation: EvaluationConfig = SHORT
) -> EpochEvaluator:
    return EpochEvaluator.of(valid, TrainingConfig(best_by=best_by, preview=preview), evaluation)


def test_the_scores_are_those_of_an_evaluation(nano: Florence2, valid: DatasetManifest) -> None:
    judge: Evaluator = judge_of(valid, "map50")
    assert (judge.score, judge.higher_is_better) == ("map50", True)
    scores = judge(nano, 3, None)
    assert scores == evaluate_split(nano, "any", valid, SHORT).evaluation.metrics
    assert {"map50", "vqa_accuracy"} <= set(scores)


def test_where_the_loss_decides_nothing_is_generated_but_what_is_shown(
    nano: Florence2, valid: DatasetManifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def counting(florence2: Florence2, samples: Sequence[Sample], config: EvaluationConfig) -> Iterator[Prediction]:
        asked.append(len(samples))
        return predict(florence2, samples, config)

    monkeypatch.setattr("florence2.evaluation.epoch_evaluator.predict", counting)
    shown: Shown = []
    judge = judge_of(valid, preview=2)
    assert (judge.score, judge.higher_is_better) == ("loss", False)
    assert judge(nano, 5, lambda sheet, step: shown.append((sheet.size, step))) == {}
    assert judge(nano, 6, None) == {}
    assert asked == [2, 0]
    assert [step for _, step in shown] == [5]


@pytest.mark.parametrize("best_by", ["loss", "vqa_accuracy"])
def test_as_many_images_are_shown_as_asked_for(nano: Florence2, valid: DatasetManifest, best_by: str) -> None:
    """Rows are by turns a detection, drawn twice, and a question, drawn once: of 8, 3 are rows 0, 2 and 5."""
    sheets: list[Image.Image] = []
    judge_of(valid, best_by, preview=3)(nano, 1, lambda sheet, _: sheets.append(sheet))
    (sheet,) = sheets
    assert sheet.size == (4 * 332 + 12, 2 * (332 + 57) + 12)


def test_no_more_rows_are_shown_than_there_are_and_none_where_none_is_asked_for(
    nano: Florence2, valid: DatasetManifest
) -> None:
    questions = valid.drop(valid.table.index[valid.table["task"] == "<OD>"])
    shown: Shown = []
    for preview in (50, 0):
        judge_of(questions, preview=preview)(nano, 1, lambda sheet, step: shown.append((sheet.size, step)))
    assert shown == [((4 * 332 + 12, 332 + 57 + 12), 1)]


def test_the_same_rows_are_shown_each_time_spread_over_the_split(nano: Florence2, valid: DatasetManifest) -> None:
    sheets: list[bytes] = []
    judge = judge_of(valid, preview=2)
    for step in (1, 2):
        judge(nano, step, lambda sheet, _: sheets.append(sheet.tobytes()))
    assert sheets[0] == sheets[1]


def test_a_score_that_nobody_measures_is_refused_with_those_that_are(valid: DatasetManifest) -> None:
    with pytest.raises(
        ConfigurationError, match=r"'chrf' does not judge <OD>, <VQA>; give loss, map50, map,.*accuracy"
    ):
        judge_of(valid, "chrf")
    questions = valid.drop(valid.table.index[valid.table["task"] == "<OD>"])
    with pytest.raises(ConfigurationError, match=r"'map50' does not judge <VQA>; give loss, vqa_accuracy$"):
        judge_of(questions, "map50")


def test_metrics_that_are_named_are_those_to_choose_from(valid: DatasetManifest) -> None:
    named = SHORT.model_copy(update={"metrics": ("anls",)})
    assert judge_of(valid, "anls", evaluation=named).score == "anls"
    with pytest.raises(ConfigurationError, match=r"give loss, anls$"):
        judge_of(valid, "map50", evaluation=named)


def test_every_score_that_a_metric_computes_can_choose_the_epoch(valid: DatasetManifest) -> None:
    regions = valid.table.assign(task="<OCR_WITH_REGION>", prefix="<OCR_WITH_REGION>").astype(valid.table.dtypes)
    judge = judge_of(valid.replace_rows(regions), "ocr_region_localisation_f1")
    assert (judge.score, judge.higher_is_better) == ("ocr_region_localisation_f1", True)


def test_of_errors_the_fewer_the_better(valid: DatasetManifest) -> None:
    texts = valid.table.assign(task="<OCR>", prefix="<OCR>").astype(valid.table.dtypes)
    judge = judge_of(valid.replace_rows(texts), "character_error_rate")
    assert (judge.score, judge.higher_is_better) == ("character_error_rate", False)
