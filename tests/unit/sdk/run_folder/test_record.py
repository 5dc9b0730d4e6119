"""What a run writes down while it trains, and the plots that are made of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from florence2.evaluation.baselines.scores import BaselineScores
from florence2.evaluation.bootstrap import Comparison, Interval
from florence2.evaluation.report import EvaluationReport, ModelEvaluation
from florence2.reports.training_plots import draw_training_plots
from florence2.sdk.run_folder.record import RunRecord, save_metrics
from florence2.training.history import BaseRecord, EpochRecord, StepRecord, TrainingHistory

EPOCHS = tuple(
    EpochRecord(n, 10 * n, 2.0 / n, 3.0 / n, 1e-3 / n, {"map50": 0.2 * n, "my_metric": 1.0}) for n in (1, 2, 3)
)
HISTORY = TrainingHistory(EPOCHS, (StepRecord(5, 0.5, 2.0, 1e-3, 1.0),), BaseRecord(4.0, {"map50": 0.05}), 2)


def test_the_lines_outlive_a_kill_and_steps_done_again_are_written_once(tmp_path: Path) -> None:
    received: list[tuple[Mapping[str, float], int]] = []
    record = RunRecord(tmp_path, lambda numbers, step: received.append((numbers, step)))
    record({"eval_loss": 4.0, "epoch": 0.0}, 0)
    record({"loss": 3.0, "epoch": 0.5}, 1)
    record({"loss": 2.0, "epoch": 1.0}, 2)
    with (tmp_path / "history.jsonl").open("a") as lines:
        lines.write('{"step": 3, "lo')  # as a kill leaves it
        lines.write("\n")
    again = RunRecord(tmp_path)
    again({"loss": 2.0, "epoch": 1.0}, 2)
    again({"eval_loss": 2.5, "epoch": 1.0}, 2)
    again({"train_runtime": 2.5}, 2)
    entries = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines() if line.endswith("}")]
    assert [(entry["step"], "loss" in entry) for entry in entries] == [(0, False), (1, True), (2, True), (2, False)]
    assert [step for _, step in received] == [0, 1, 2]
    seconds = [entry["seconds"] for entry in entries]
    assert seconds == sorted(seconds)
    history = again.history(({"step": 2, "epoch": 1.0, "loss": 2.0}, {"step": 2, "epoch": 1.0, "eval_loss": 2.5}), 1)
    assert history.base == BaseRecord(4.0)
    assert history.best.validation_loss == 2.5
    assert history.best.seconds == seconds[-1]


def test_the_scores_of_both_models_are_written_with_their_intervals(tmp_path: Path) -> None:
    before = ModelEvaluation("base", {"map50": 0.2, "map75": 0.1}, intervals={"map50": Interval(0.1, 0.3)})
    guessed = BaselineScores({"map50": 0.1}, {"map50": Comparison(0.5, Interval(0.4, 0.6), 1.0)})
    intervals = {"map50": Interval(0.5, 0.7)}
    after = ModelEvaluation("tuned", {"map50": 0.6}, counts={"images": 9}, intervals=intervals, baseline=guessed)
    compared = {"map50": Comparison(0.4, Interval(0.3, 0.5), 1.0)}
    save_metrics(EvaluationReport(before, after, compared, facts={"base": "b", "data": "d"}), HISTORY, tmp_path)
    content = json.loads((tmp_path / "metrics.json").read_text())
    assert content["scores"]["map50"] == {
        "base": 0.2,
        "base_interval": [0.1, 0.3],
        "tuned": 0.6,
        "tuned_interval": [0.5, 0.7],
        "difference": 0.4,
        "difference_interval": [0.3, 0.5],
        "baseline": 0.1,
        "over_baseline": 0.5,
        "over_baseline_interval": [0.4, 0.6],
    }
    assert content["scores"]["map75"]["tuned"] is None
    assert (content["base"], content["counts"]) == ("b", {"images": 9})
    assert content["history"]["best_epoch"] == 2
    assert [epoch["metrics"]["map50"] for epoch in content["history"]["epochs"]] == pytest.approx([0.2, 0.4, 0.6])


def test_each_score_has_a_plot_with_the_base_and_the_best_epoch(tmp_path: Path) -> None:
    files = draw_training_plots(HISTORY, tmp_path / "plots")
    assert [file.name for file in files] == ["loss.png", "learning_rate.png", "map50.png", "my_metric.png"]
    assert not list(tmp_path.rglob(".unfinished-*"))
    with_all = np.asarray(Image.open(tmp_path / "plots" / "map50.png").convert("RGB"))
    height, width, _ = with_all.shape
    assert width >= 800
    assert height >= 500
    without = TrainingHistory(EPOCHS, HISTORY.steps, None, 0)
    draw_training_plots(without, tmp_path / "other")
    assert (with_all != np.asarray(Image.open(tmp_path / "other" / "map50.png").convert("RGB"))).any()
    star = (with_all == (0x1A, 0x7F, 0x37)).all(axis=2)
    assert star.sum() > 50


def test_nothing_is_drawn_before_the_first_epoch(tmp_path: Path) -> None:
    assert draw_training_plots(TrainingHistory(), tmp_path / "plots") == []
    assert not (tmp_path / "plots").exists()
