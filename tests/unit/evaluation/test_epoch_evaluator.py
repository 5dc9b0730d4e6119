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
from florence2.evaluation.metrics.answers import ExactAnswerMetric
from florence2.inference.generation import Prediction, predict
from florence2.model.base import load_base
from florence2.model.florence import Florence2
from florence2.model.processing import Sample
from florence2.training.monitoring import Evaluator
from tests.builders import write_scenes

SHORT = EvaluationConfig(max_new_tokens=16, eval_batch_size=8)
Shown = list[tuple[tuple[int, int], int]]


class OwnMetric(ExactAnswerMetric):
    name = "own"


@pytest.fixture(scope="module")
def nano() -> Florence2:
    return load_base(ModelConfig(base="builtin:nano"))


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> DatasetManifest:
    return read_dataset(write_scenes(tmp_path_factory.mktemp("scenes"))).select("valid")


def evaluator_of(
    valid: DatasetManifest, best_by: str = "loss", preview: int = 0, evaluation: EvaluationConfig = SHORT
) -> EpochEvaluator:
    return EpochEvaluator.of(valid, TrainingConfig(best_by=best_by, preview=preview), evaluation)


def test_the_scores_are_those_of_an_evaluation(nano: Florence2, valid: DatasetManifest) -> None:
    evaluator: Evaluator = evaluator_of(valid, "map50")
    assert (evaluator.score, evaluator.higher_is_better) == ("map50", True)
    scores = evaluator(nano, 3, None)
    assert scores == evaluate_split(nano, "any", valid, SHORT).evaluation.metrics
    assert {"map50", "vqa_accuracy"} <= set(scores)


def test_where_the_loss_decides_only_the_preview_is_generated(
    nano: Florence2, valid: DatasetManifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    predicted: list[int] = []

    def counting(florence2: Florence2, samples: Sequence[Sample], config: EvaluationConfig) -> Iterator[Prediction]:
        predicted.append(len(samples))
        return predict(florence2, samples, config)

    monkeypatch.setattr("florence2.evaluation.epoch_evaluator.predict", counting)
    shown: Shown = []
    evaluator = evaluator_of(valid, preview=2)
    assert (evaluator.score, evaluator.higher_is_better) == ("loss", False)
    assert evaluator(nano, 5, lambda grid, step: shown.append((grid.size, step))) == {}
    assert evaluator(nano, 6, None) == {}
    assert predicted == [2, 0]
    assert [step for _, step in shown] == [5]


@pytest.mark.parametrize("best_by", ["loss", "vqa_accuracy"])
def test_as_many_samples_are_drawn_as_the_preview_has(nano: Florence2, valid: DatasetManifest, best_by: str) -> None:
    """Rows are by turns a detection, drawn twice, and a question, drawn once: of 8, 3 are rows 0, 2 and 5."""
    grids: list[Image.Image] = []
    evaluator_of(valid, best_by, preview=3)(nano, 1, lambda grid, _: grids.append(grid))
    (grid,) = grids
    assert grid.size == (4 * 332 + 12, 2 * (332 + 57) + 12)


def test_no_more_samples_are_drawn_than_the_split_has_and_none_for_a_preview_of_0(
    nano: Florence2, valid: DatasetManifest
) -> None:
    questions = valid.drop(valid.table.index[valid.table["task"] == "<OD>"])
    shown: Shown = []
    for preview in (50, 0):
        evaluator_of(questions, preview=preview)(nano, 1, lambda grid, step: shown.append((grid.size, step)))
    assert shown == [((4 * 332 + 12, 332 + 57 + 12), 1)]


def test_the_same_samples_are_drawn_each_time(nano: Florence2, valid: DatasetManifest) -> None:
    grids: list[bytes] = []
    evaluator = evaluator_of(valid, preview=2)
    for step in (1, 2):
        evaluator(nano, step, lambda grid, _: grids.append(grid.tobytes()))
    assert grids[0] == grids[1]


def test_the_error_for_an_unknown_score_names_the_known_ones(valid: DatasetManifest) -> None:
    with pytest.raises(
        ConfigurationError, match=r"'mean_iou' is not a score of <OD>, <VQA>; give loss, map50, map,.*accuracy"
    ):
        evaluator_of(valid, "mean_iou")
    questions = valid.drop(valid.table.index[valid.table["task"] == "<OD>"])
    with pytest.raises(ConfigurationError, match=r"'map50' is not a score of <VQA>; give loss, vqa_accuracy$"):
        evaluator_of(questions, "map50")


@pytest.mark.parametrize(
    ("best_by", "metrics", "remedy"),
    [
        ("chrf", (), "mean_average_precision, vqa_accuracy, chrf"),
        ("exact_answer", ("anls",), "anls, exact_answer"),
        (
            "map50",
            ("tests.unit.evaluation.test_epoch_evaluator:OwnMetric", "anls"),
            "tests.unit.evaluation.test_epoch_evaluator:OwnMetric, anls, mean_average_precision",
        ),
    ],
)
def test_the_error_for_a_score_whose_metric_is_not_computed_says_how_to_add_it(
    valid: DatasetManifest, best_by: str, metrics: tuple[str, ...], remedy: str
) -> None:
    named = SHORT.model_copy(update={"metrics": metrics})
    with pytest.raises(ConfigurationError, match=rf"{best_by!r} .* not computed; set evaluation.metrics: \[{remedy}\]"):
        evaluator_of(valid, best_by, evaluation=named)


def test_metrics_that_are_named_are_those_to_choose_from(valid: DatasetManifest) -> None:
    named = SHORT.model_copy(update={"metrics": ("anls",)})
    assert evaluator_of(valid, "anls", evaluation=named).score == "anls"
    with pytest.raises(ConfigurationError, match=r"give loss, anls$"):
        evaluator_of(valid, "map500", evaluation=named)


def test_every_score_that_a_metric_computes_can_choose_the_epoch(valid: DatasetManifest) -> None:
    regions = valid.table.assign(task="<OCR_WITH_REGION>", prefix="<OCR_WITH_REGION>").astype(valid.table.dtypes)
    evaluator = evaluator_of(valid.replace_rows(regions), "ocr_region_localisation_f1")
    assert (evaluator.score, evaluator.higher_is_better) == ("ocr_region_localisation_f1", True)


def test_a_smaller_error_rate_is_better(valid: DatasetManifest) -> None:
    texts = valid.table.assign(task="<OCR>", prefix="<OCR>").astype(valid.table.dtypes)
    evaluator = evaluator_of(valid.replace_rows(texts), "character_error_rate")
    assert (evaluator.score, evaluator.higher_is_better) == ("character_error_rate", False)
