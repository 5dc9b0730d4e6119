"""Evaluating a model on a split: every task by its metric, two models side by side, and whatever may be amiss."""

from __future__ import annotations

import copy
import json
import math
from collections import Counter
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from florence2 import sdk
from florence2.codec.detections import Detections
from florence2.codec.tasks import TASKS, AnswerKind
from florence2.config import EvaluationConfig, ModelConfig, TrainingConfig
from florence2.datasets.formats import read_dataset
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import ConfigurationError, DatasetError, ModelError
from florence2.evaluation import evaluate, scores
from florence2.evaluation.bootstrap import Resampled, Resamples, paired_comparison
from florence2.evaluation.epoch_evaluator import EpochEvaluator
from florence2.evaluation.evaluate import SplitEvaluation, evaluate_split
from florence2.evaluation.evaluated import describe
from florence2.evaluation.files import metrics_summary
from florence2.evaluation.metrics.metric import SampleMeanMetric
from florence2.evaluation.report import EvaluationReport, ModelEvaluation
from florence2.evaluation.scores import SCORES, score_named
from florence2.inference.generation import Prediction
from florence2.model.base import load_base
from florence2.model.florence import Florence2
from florence2.reports.evaluation.comparison import compare_models
from florence2.reports.evaluation.files import save_evaluation
from tests.builders import annotation, manifest, write_dataset, write_scenes
from tests.unit.evaluation.metrics.test_loading import MissedMetric

SHORT = EvaluationConfig(max_new_tokens=24, eval_batch_size=8, examples=4)


@pytest.fixture(scope="module")
def nano() -> Florence2:
    return load_base(ModelConfig(base="builtin:nano"))


@pytest.fixture(scope="module")
def test_split(tmp_path_factory: pytest.TempPathFactory) -> DatasetManifest:
    return read_dataset(write_scenes(tmp_path_factory.mktemp("scenes"), test=6)).select("test")


@pytest.fixture(scope="module")
def answers(nano: Florence2, test_split: DatasetManifest) -> SplitEvaluation:
    return evaluate_split(nano, "base", test_split, SHORT)


def test_a_set_of_mixed_tasks_gets_the_metric_of_each(answers: SplitEvaluation) -> None:
    assert {"map", "map50", "vqa_accuracy"} <= set(answers.evaluation.metrics)
    assert set(answers.evaluation.per_class) == {"red tile", "blue tile"}
    assert answers.evaluation.counts["images"] == 6
    assert answers.evaluation.counts["annotations"] == 12
    assert answers.evaluation.counts["truths"] == 6


def test_the_direction_of_a_users_score_is_known_wherever_its_report_is_read(
    nano: Florence2, test_split: DatasetManifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"{MissedMetric.__module__}:MissedMetric"
    config = SHORT.model_copy(update={"metrics": (name,)})
    training = TrainingConfig(best_by="missed")
    assert EpochEvaluator.of(test_split, training, config).higher_is_better is False
    bad = evaluate_split(nano, "bad", test_split, config)
    wrong = [np.ones(3), np.zeros(3)]
    before, after = (Resamples(3, 0, {"missed": Resampled(float(each.mean()), each)}, {}) for each in wrong)
    assert paired_comparison(before, after).scores["missed"].probability_better == 1.0
    report = compare_models(bad, bad, {}, config)
    report.save(tmp_path)
    monkeypatch.setattr(scores, "_OF_OTHERS", {})
    assert score_named("missed").higher_is_better, "a process that has not read the report does not know it"
    loaded = EvaluationReport.load(tmp_path)
    assert loaded == report
    assert score_named("missed") == MissedMetric.scores[0]
    assert "lower is better" in loaded.html
    worst = [example.after.value or 0.0 for example in loaded.worst]
    assert worst == sorted(worst, reverse=True)


def test_a_metric_named_twice_counts_once(
    nano: Florence2, test_split: DatasetManifest, answers: SplitEvaluation
) -> None:
    config = SHORT.model_copy(update={"metrics": ("mean_average_precision", "vqa_accuracy") * 2})
    assert evaluate_split(nano, "base", test_split, config).evaluation.counts == answers.evaluation.counts


def test_named_metrics_are_computed_and_no_others(nano: Florence2, test_split: DatasetManifest) -> None:
    config = SHORT.model_copy(update={"metrics": ("anls",)})
    assert set(evaluate_split(nano, "base", test_split, config).evaluation.metrics) == {"anls"}


def test_a_metric_that_evaluates_no_task_of_the_split_is_refused(nano: Florence2, test_split: DatasetManifest) -> None:
    questions = test_split.drop(test_split.table.index[test_split.table["task"] == "<OD>"])
    config = SHORT.model_copy(update={"metrics": ("mean_average_precision",)})
    with pytest.raises(ConfigurationError, match=r"none of mean_average_precision evaluates <VQA>"):
        evaluate_split(nano, "base", questions, config)


def test_an_empty_split_is_named(nano: Florence2, test_split: DatasetManifest) -> None:
    with pytest.raises(DatasetError, match="the split to evaluate on is empty"):
        evaluate_split(nano, "base", test_split.select("train"), SHORT)


def test_an_empty_split_is_named_even_where_others_have_rows(nano: Florence2, test_split: DatasetManifest) -> None:
    nothing = test_split.drop(test_split.table.index)
    with pytest.raises(DatasetError, match=r"scenes.*: the split to evaluate on is empty; give one with samples"):
        evaluate_split(nano, "base", nothing, SHORT)


def test_rows_whose_image_cannot_be_read_are_left_out_and_counted(
    nano: Florence2, test_split: DatasetManifest, answers: SplitEvaluation, caplog: pytest.LogCaptureFixture
) -> None:
    table = test_split.table.copy()
    broken = table["image"] == "test/0.png"
    table.loc[broken, "image_error"] = "truncated: 12 bytes are missing"
    found = evaluate_split(nano, "base", test_split.replace_rows(table), SHORT)
    assert found.evaluation.counts["rows_without_a_readable_image"] == 2
    assert found.evaluation.counts["annotations"] == 10
    assert "2 of 12 rows have an image that cannot be read, the first of test/annotations.jsonl:1" in caplog.text
    assert "rows_without_a_readable_image" not in answers.evaluation.counts


def test_a_split_without_any_readable_image_is_an_error(nano: Florence2, test_split: DatasetManifest) -> None:
    table = test_split.table.assign(image_error="unreadable: not an image").astype(test_split.table.dtypes)
    with pytest.raises(DatasetError, match=r"12 of 12 rows have an image that cannot be read.*replace the files"):
        evaluate_split(nano, "base", test_split.replace_rows(table), SHORT)


def test_a_model_of_another_tokenizer_is_an_error(nano: Florence2, test_split: DatasetManifest) -> None:
    processor = copy.copy(nano.processor)
    processor.tokenizer = _Wordless(nano.tokenizer)
    with pytest.raises(ModelError, match="<loc_"):
        evaluate_split(Florence2(nano.model, processor), "other", test_split, SHORT)


class _Wordless:
    """A tokenizer that knows no location tokens."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)

    def __call__(self, *texts: Any, **how: Any) -> Any:
        return self._tokenizer(*texts, **how)

    def get_vocab(self) -> dict[str, int]:
        return {token: index for token, index in self._tokenizer.get_vocab().items() if "<loc_" not in token}

    def convert_tokens_to_ids(self, tokens: list[str]) -> list[int | None]:
        return [None if "<loc_" in token else self._tokenizer.convert_tokens_to_ids(token) for token in tokens]


def answered(monkeypatch: pytest.MonkeyPatch, split: DatasetManifest, *predictions: Prediction) -> SplitEvaluation:
    """Return the evaluation of answers that no model generated."""
    monkeypatch.setattr("florence2.evaluation.evaluate.predict", lambda *_: iter(predictions))
    monkeypatch.setattr("florence2.evaluation.evaluate.check_prompts_fit", lambda *_: None)
    return evaluate_split(cast(Florence2, None), "model", split, SHORT)


def boxes(*rows: tuple[str, float], side: float = 9.0) -> Detections:
    xyxy = np.tile(np.array([0, 0, side, side], dtype=np.float32), (len(rows), 1))
    return Detections(xyxy, tuple(name for name, _ in rows), np.array([score for _, score in rows], np.float32))


def test_scores_that_are_no_numbers_are_left_out_and_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    split = manifest(*[{"suffix": "cat<loc_0><loc_0><loc_450><loc_900>"}] * 2)
    good, bad = boxes(("cat", 0.9), ("cat", math.nan), ("cat", math.inf)), boxes(("cat", 0.5), side=math.nan)
    found = answered(monkeypatch, split, Prediction("a", good), Prediction("b", bad))
    assert [sample.unscored for sample in found.samples] == [2, 1]
    assert found.evaluation.metrics["map50"] == pytest.approx(0.5, abs=0.01)
    assert "3 boxes without a finite score or coordinate are left out" in caplog.text
    metrics = metrics_summary(described(found))
    assert metrics["counts"]["boxes_without_a_score"] == 3
    assert "NaN" not in json.dumps(metrics)


def described(found: SplitEvaluation) -> ModelEvaluation:
    return describe(found, SHORT)[0]


def test_cut_malformed_and_empty_answers_and_unknown_classes_are_counted_and_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    split = manifest(*[{"suffix": "cat<loc_0><loc_0><loc_450><loc_900>"}] * 3, {"suffix": ""})
    found = answered(
        monkeypatch,
        split,
        Prediction("cat<loc_0>", boxes(("cat", 0.9)), truncated=True),
        Prediction("cat<loc_0>", boxes(("hat", 0.9)), malformed=2),
        Prediction("", Detections.empty()),
        Prediction("cat", boxes(("cat", 0.1))),
    )
    counts = metrics_summary(described(found))["counts"]
    assert {name: counts[name] for name in counts if name.endswith("_answers")} == {
        "invalid_answers": 2,
        "cut_answers": 1,
        "malformed_answers": 1,
        "empty_answers": 1,
    }
    assert counts["predictions_of_unknown_classes"] == 1
    assert counts["images_without_truth"] == 1


def test_what_a_report_counts_is_what_the_metric_counted(answers: SplitEvaluation) -> None:
    analysis, counts = described(answers).analysis, answers.evaluation.counts
    assert analysis is not None
    assert analysis.confusion is not None
    assert analysis.validity.boxes == sum(group.predictions for group in analysis.sizes) == counts["predictions"]
    assert analysis.validity.unknown_names == counts["predictions_of_unknown_classes"]
    assert sum(group.truths for group in analysis.crowding) == counts["truths"]
    assert sum(map(sum, analysis.confusion.counts[:-1])) == counts["truths"]


def test_references_without_any_box_define_no_score_but_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a false 0 nor a crash: the predicted boxes are still counted."""
    found = answered(monkeypatch, manifest({"suffix": ""}), Prediction("cat", boxes(("cat", 0.9))))
    evaluation = described(found)
    assert evaluation.metrics == {}
    assert metrics_summary(evaluation)["counts"]["predictions_of_unknown_classes"] == 1
    assert evaluation.intervals == {}


def test_each_sample_has_the_value_of_its_metric(answers: SplitEvaluation) -> None:
    rows = answers.samples
    questions = [row for row in rows if row.question is not None]
    assert {row.score for row in questions} == {"vqa_accuracy"}
    assert sum(row.value or 0 for row in questions) / 6 == pytest.approx(answers.evaluation.metrics["vqa_accuracy"])
    assert {row.score for row in rows if row.boxes is not None} == {"F1"}


def test_the_examples_of_a_report_stand_for_every_task(answers: SplitEvaluation) -> None:
    report = compare_models(answers, answers, {"base": "builtin:nano"}, SHORT)
    assert Counter(example.prefix.split(">")[0] for example in report.examples) == {"<OD": 2, "<VQA": 2}
    assert all(example.image.startswith("test/") for example in report.examples)
    assert report.before == report.after
    assert report.after.metrics == answers.evaluation.metrics
    assert {example.prefix for example in report.worst} == {sample.prefix for sample in answers.samples}


def test_more_examples_than_samples_show_every_sample_once(answers: SplitEvaluation) -> None:
    report = compare_models(answers, answers, {}, SHORT.model_copy(update={"examples": 99}))
    assert len(report.examples) == len({(example.image, example.prefix) for example in report.examples}) == 12


def test_scores_have_intervals_and_a_model_is_no_better_than_itself(answers: SplitEvaluation) -> None:
    report = compare_models(answers, answers, {}, SHORT)
    interval = report.after.intervals["vqa_accuracy"]
    assert interval.low <= report.after.metrics["vqa_accuracy"] <= interval.high
    assert report.comparison["vqa_accuracy"].probability_better == 0.5
    none = compare_models(answers, answers, {}, SHORT.model_copy(update={"resamples": 0}))
    assert not none.after.intervals
    assert not none.comparison


def test_the_same_answers_make_the_same_report(answers: SplitEvaluation) -> None:
    first, second = (compare_models(answers, answers, {}, SHORT) for _ in range(2))
    assert first == second


def test_no_path_of_this_machine_is_in_a_report(nano: Florence2, test_split: DatasetManifest, tmp_path: Path) -> None:
    found = evaluate_split(nano, str(tmp_path), test_split, SHORT)
    report = compare_models(found, found, {}, SHORT)
    report.save(tmp_path)
    written = "".join(file.read_text() for file in tmp_path.iterdir())
    for folder in (str(tmp_path.parent), str(test_split.fetch_root().parent), str(Path.home()), str(Path.cwd())):
        assert f"{folder}/" not in written


def test_one_model_is_written_as_scores_predictions_and_page(answers: SplitEvaluation, tmp_path: Path) -> None:
    rows = answers.samples
    evaluation = described(answers)
    save_evaluation(answers, evaluation, {"split": "test"}, SHORT, tmp_path / "new")
    assert {file.name for file in (tmp_path / "new").iterdir()} == {"metrics.json", "predictions.jsonl", "report.html"}
    metrics = json.loads((tmp_path / "new" / "metrics.json").read_text())
    assert metrics["scores"] == answers.evaluation.metrics
    assert metrics["intervals"]["map50"]["level"] == 0.95
    assert metrics["counts"]["images"] == 6
    lines = [json.loads(line) for line in (tmp_path / "new" / "predictions.jsonl").read_text().splitlines()]
    assert [(line["image"], line["prefix"]) for line in lines] == [(row.image, row.prefix) for row in rows]
    for line, prediction in zip(lines, (row.prediction for row in rows), strict=True):
        assert line["prediction"] == prediction.text
        assert ("boxes" in line) == (prediction.detections is not None)
        assert len(line.get("boxes", ())) == len(prediction.detections or ())
        assert all(len(box["xyxy"]) == 4 and 0 <= box["confidence"] <= 1 for box in line.get("boxes", ()))
    with pytest.raises(ConfigurationError, match=r"cannot be written .*give another output"):
        save_evaluation(answers, evaluation, {}, SHORT, tmp_path / "new" / "metrics.json")


def test_a_model_is_evaluated_by_its_name(
    test_split: DatasetManifest, answers: SplitEvaluation, tmp_path: Path
) -> None:
    settings = {"dataset": test_split.fetch_root(), "max_new_tokens": 24, "eval_batch_size": 5}
    evaluation = sdk.evaluate("builtin:nano", settings, output=tmp_path)
    assert evaluation.model == "builtin:nano"
    assert evaluation.metrics == pytest.approx(answers.evaluation.metrics)
    assert "Evaluation of builtin:nano" in (tmp_path / "report.html").read_text()


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
def every_task(tmp_path_factory: pytest.TempPathFactory) -> SplitEvaluation:
    lines = [
        annotation(f"{index}-{copy}.png", token + "a cat" * task.takes_input, SUFFIXES.get(token, "a cat"))
        for index, (token, task) in enumerate(TASKS.items())
        for copy in range(2)
    ]
    root = write_dataset(Path(tmp_path_factory.mktemp("tasks")), {"test": lines})
    config = EvaluationConfig(max_new_tokens=8, eval_batch_size=16)
    return evaluate_split(
        load_base(ModelConfig(base="builtin:nano")), "base", read_dataset(root).select("test"), config
    )


def test_each_task_has_its_scores(every_task: SplitEvaluation) -> None:
    scores = every_task.evaluation.metrics
    headlines = {"map", "grounding_accuracy", "mean_iou", "ocr_region_f1", "vqa_accuracy", "anls", "cider"}
    assert headlines | {"character_error_rate", "word_error_rate", "bleu", "rouge_l", "chrf"} <= scores.keys()
    assert scores.keys() <= SCORES.keys()


def test_a_metric_is_made_once_for_a_split(every_task: SplitEvaluation, monkeypatch: pytest.MonkeyPatch) -> None:
    """A metric may be expensive to make: one of the user's own may load a model."""
    made: list[str] = []

    def counting(metric: SampleMeanMetric[Any, Any]) -> None:
        made.append(metric.name)
        make(metric)

    make = SampleMeanMetric.__init__
    monkeypatch.setattr(SampleMeanMetric, "__init__", counting)
    samples = [each.sample for each in every_task.samples]
    inputs = [evaluate._inputs(each.sample, each.prediction) for each in every_task.samples]
    applied = evaluate._apply_metrics(samples, inputs, ("vqa_accuracy", "anls"))
    assert made == ["vqa_accuracy", "anls"]
    assert [metric.name for metric, _ in applied] == made
    assert len(applied[0][1]) > 1


def test_what_was_evaluated_is_counted(every_task: SplitEvaluation) -> None:
    counts = every_task.evaluation.counts
    assert counts["annotations"] == 2 * len(TASKS)
    assert counts["truths"] == 2 * 4  # the tasks with boxes but for grounding, and the proposals
    assert counts["phrases"] == counts["true_regions"] == 2
    assert "malformed_outlines" in counts


def test_a_report_shows_every_task(every_task: SplitEvaluation, tmp_path: Path) -> None:
    config = EvaluationConfig(examples=2 * len(TASKS))
    report = compare_models(every_task, every_task, {}, config)
    report.save(tmp_path)
    assert EvaluationReport.load(tmp_path) == report
    assert {example.prefix.split(">")[0] + ">" for example in report.examples} == set(TASKS)
    shown = [row for row in report.examples if row.truth is not None]
    assert {row.prefix.split(">")[0] + ">" for row in shown} == {
        token for token, task in TASKS.items() if task.answer in (AnswerKind.BOXES, AnswerKind.PROPOSALS)
    }
    assert all(score_named(name).title in report.html for name in report.after.metrics)


def test_every_sample_has_a_value_or_none(every_task: SplitEvaluation) -> None:
    rows = every_task.samples
    assert {row.score for row in rows} >= {"F1", "vqa_accuracy", "mean_iou", "ocr_region_f1", "character_error_rate"}
    lines = [row.value for row in rows]
    assert any(value is not None for value in lines)
    assert all(value is None or value >= 0 for value in lines)
