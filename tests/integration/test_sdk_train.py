"""``train`` as a script calls it: what it returns and writes, how a run is continued or repeated."""

from __future__ import annotations

import json
import logging
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

import florence2
from florence2 import Configuration, TrainingResult
from florence2.datasets.formats import read_dataset
from florence2.errors import ConfigurationError, DatasetError, ModelError, TrainingError
from florence2.model.checkpoint import Checkpoint
from florence2.training.fitting import fit
from florence2.training.rate_search import _HIGHER
from florence2.training.short_training import ShortTrainings
from tests.builders import write_scenes
from tests.unit.evaluation.metrics.test_loading import CountMetric

pytestmark = pytest.mark.integration

RECIPE: dict[str, Any] = {
    "base": "builtin:nano",
    "epochs": 3,
    "batch_size": 4,
    "rank": 4,
    "learning_rate": 1e-3,
    "dropout": 0.1,
    "max_new_tokens": 16,
    "resamples": 50,
    "preview": 1,
}
GETS_WORSE: dict[str, Any] = {"learning_rate": 4e-3, "schedule": "constant"}
"""On the scenes, whose training answers are wrong: from the second epoch on the model knows them too well."""


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_scenes(tmp_path_factory.mktemp("scenes"))
    file = folder / "train" / "annotations.jsonl"
    samples = [json.loads(line) for line in file.read_text().splitlines()]
    wrong = {"<OD>": "zebra<loc_998><loc_998><loc_999><loc_999>"}
    lines = [json.dumps(sample | {"suffix": wrong.get(sample["prefix"], "purple elephant")}) for sample in samples]
    file.write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def numbers() -> list[tuple[Mapping[str, float], int]]:
    return []


@pytest.fixture(scope="module")
def result(
    scenes: Path, tmp_path_factory: pytest.TempPathFactory, numbers: list[tuple[Mapping[str, float], int]]
) -> TrainingResult:
    """A run whose first epoch is the best."""
    settings = {**RECIPE, **GETS_WORSE, "dataset": scenes, "metrics": [CountMetric, "vqa_accuracy"]}
    output = tmp_path_factory.mktemp("project") / "my runs"
    return florence2.train(settings, output, sink=lambda values, step: numbers.append((values, step)))


def test_the_result_is_that_of_the_folder(result: TrainingResult) -> None:
    assert result.folder.name == "1"
    assert result.checkpoint == Checkpoint.read(result.folder / "checkpoints" / "best")
    assert result.latest == Checkpoint.read(result.folder / "checkpoints" / "latest")
    assert (result.checkpoint.epoch, result.latest.epoch) == (1, 3)
    assert {entry.name for entry in result.folder.iterdir()} == {
        *("configuration.yaml", "command.txt", "history.jsonl", "metrics.json"),
        *("checkpoints", "plots", "report", "validation"),
    }
    scores = json.loads((result.folder / "metrics.json").read_text())["scores"]
    assert {name: score["tuned"] for name, score in scores.items()} == dict(result.metrics)
    assert {name: score["base"] for name, score in scores.items()} == dict(result.base_metrics)
    assert scores.keys() == {"right_count", "vqa_accuracy"}


def test_the_history_has_each_epoch_the_base_and_how_long_it_took(
    result: TrainingResult, numbers: list[tuple[Mapping[str, float], int]]
) -> None:
    history = result.history
    assert [record.epoch for record in history.epochs] == [1, 2, 3]
    assert history.best == result.best == history.epochs[0]
    losses = history.series("validation_loss")
    assert losses == {e["epoch"]: e["eval_loss"] for e in result.checkpoint.history if "eval_loss" in e}
    assert min(losses.values()) == losses[1] < losses[3]
    assert history.base is not None
    assert history.base.validation_loss not in losses.values()
    assert history.measured == ("right_count", "vqa_accuracy")
    seconds = [record.seconds for record in history.epochs]
    assert None not in seconds
    assert seconds == sorted(seconds)  # type: ignore[type-var]
    assert len(history.steps) == 12
    assert [step for _, step in numbers if step == 0] == [0]
    kept = json.loads((result.folder / "metrics.json").read_text())["history"]
    assert kept["epochs"][2]["validation_loss"] == losses[3]


def test_each_score_has_its_plot(result: TrainingResult) -> None:
    plots = {file.name for file in (result.folder / "plots").iterdir()}
    assert plots == {"loss.png", "learning_rate.png", "right_count.png", "vqa_accuracy.png"}
    for name in plots:
        with Image.open(result.folder / "plots" / name) as image:
            image.load()
    assert {file.name for file in (result.folder / "validation").iterdir()} == {
        *("step-000000.png", "step-000004.png", "step-000008.png", "step-000012.png")
    }


def test_best_and_latest_are_models_that_differ(result: TrainingResult, scenes: Path) -> None:
    assert result.checkpoint.compute_fingerprint() != result.latest.compute_fingerprint()
    image = scenes / "test" / "0.png"
    best, same, last = (
        florence2.load(name, device="cpu").florence2.model.state_dict()
        for name in (result.folder, result.folder / "checkpoints" / "best", result.folder / "checkpoints" / "latest")
    )
    assert all(bool((best[name] == same[name]).all()) for name in best)
    assert any(bool((best[name] != last[name]).any()) for name in best)
    assert result.load(device="cpu").predict(image).detections is not None
    settings = {"dataset": scenes, "max_new_tokens": 16, "resamples": 0, "metrics": ["vqa_accuracy"]}
    found = florence2.evaluate(result.folder / "checkpoints" / "latest", settings)
    assert found.metrics.keys() == {"vqa_accuracy"}
    assert florence2.evaluate(result.folder, settings).metrics["vqa_accuracy"] == result.metrics["vqa_accuracy"]


def test_neither_the_base_nor_the_last_epoch_changes_what_is_learnt(
    result: TrainingResult, scenes: Path, tmp_path: Path
) -> None:
    """The same recipe without them: as the step of the pipeline trains it."""
    config = Configuration(**{**RECIPE, **GETS_WORSE, "dataset": scenes})
    alone = fit(read_dataset(scenes), config.model, config.training, tmp_path / "checkpoint")
    assert alone.compute_fingerprint() == result.checkpoint.compute_fingerprint()
    losses = [e["eval_loss"] for e in alone.history if "eval_loss" in e]
    assert losses == list(result.history.series("validation_loss").values())


def test_where_the_last_epoch_is_the_best_both_share_their_files(scenes: Path, tmp_path: Path) -> None:
    once = florence2.train({**RECIPE, "epochs": 1, "strategy": "full", "dataset": scenes}, tmp_path)
    best, latest = (folder / "model" / "model.safetensors" for folder in (once.checkpoint.folder, once.latest.folder))
    assert best.samefile(latest)
    assert once.checkpoint.compute_fingerprint() == once.latest.compute_fingerprint()
    assert once.history.measured == ()
    assert not (once.folder / "plots" / "map50.png").exists()


def test_the_written_configuration_repeats_the_run(result: TrainingResult, tmp_path: Path) -> None:
    words = shlex.split((result.folder / "command.txt").read_text())
    assert words[:2] == ["cd", str(Path.cwd())]
    settings = yaml.safe_load(Path(words[words.index("--config") + 1]).read_text())["parameters"]
    assert words[-2:] == ["--output", str(result.folder.parent)]
    again = florence2.train(settings, tmp_path)
    assert again.checkpoint.compute_fingerprint() == result.checkpoint.compute_fingerprint()
    assert again.latest.compute_fingerprint() == result.latest.compute_fingerprint()
    assert again.metrics == result.metrics


def test_an_interrupted_run_says_how_to_go_on_and_ends_as_if_nothing_had_happened(
    result: TrainingResult, scenes: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = {**RECIPE, **GETS_WORSE, "dataset": scenes, "metrics": [CountMetric, "vqa_accuracy"]}
    sent: list[int] = []

    def stop(values: Mapping[str, float], step: int) -> None:
        if step == 6 and not sent:
            sent.append(step)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt), caplog.at_level(logging.INFO, "florence2"):
        florence2.train(settings, tmp_path, sink=stop)
    run = tmp_path / "1"
    assert f"resume it by: florence2 train --resume {run} (in Python: train(resume='{run}'))" in caplog.text
    assert f"the best epoch so far is in {run / 'checkpoints' / 'best'}" in caplog.text
    so_far = Checkpoint.read(run / "checkpoints" / "best")
    assert (so_far.epoch, so_far.compute_fingerprint()) == (1, result.checkpoint.compute_fingerprint())
    assert not (run / "checkpoints" / "latest").exists()
    assert florence2.load(run, device="cpu").name == str(run)
    with pytest.raises(TrainingError, match="is the folder of another run"):
        florence2.train({"epochs": 5}, tmp_path, resume=True)
    assert Checkpoint.read(run / "checkpoints" / "best") == so_far, "it is still there"
    again = florence2.train(output=tmp_path, resume=True)
    assert again.folder == run
    assert again.checkpoint.compute_fingerprint() == result.checkpoint.compute_fingerprint()
    assert again.latest.compute_fingerprint() == result.latest.compute_fingerprint()
    assert again.history.series("loss") == result.history.series("loss")
    assert again.history.base == result.history.base
    assert None not in [step.seconds for step in again.history.steps]
    with pytest.raises(ConfigurationError, match="no unfinished run is here"):
        florence2.train(output=tmp_path, resume=True)


def test_a_search_for_the_learning_rate_that_is_interrupted_goes_on(
    scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings = {**RECIPE, "dataset": scenes, "learning_rate": "auto", "epochs": 32, "batch_size": 2, "preview": 0}
    searched: list[float] = []
    train_shortly = ShortTrainings.loss_of

    def loss_of(self: ShortTrainings, rate: float, steps: int) -> float:
        searched.append(rate)
        if len(searched) == 3:
            raise KeyboardInterrupt
        return train_shortly(self, rate, steps)

    monkeypatch.setattr(ShortTrainings, "loss_of", loss_of)
    with pytest.raises(KeyboardInterrupt), caplog.at_level(logging.INFO, "florence2"):
        florence2.train(settings, tmp_path)
    assert "the training is not finished; resume it by" in caplog.text
    result = florence2.train(output=tmp_path, resume=True)
    assert len(searched) - 1 == len(set(searched)), "once for each rate and for the base, and once in vain"
    rate = yaml.safe_load((result.folder / "configuration.yaml").read_text())["parameters"]["training"]["learning_rate"]
    assert _HIGHER * rate in searched
    assert max(step.learning_rate for step in result.history.steps) == pytest.approx(rate, rel=0.1)
    assert result.report.facts["learning rate"].startswith(f"{rate:g} of ")
    with Image.open(result.folder / "plots" / "learning_rates.png") as image:
        assert image.width > 500


def test_a_run_that_is_interrupted_within_its_first_epoch_has_no_model_yet(
    scenes: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def stop(values: Mapping[str, float], step: int) -> None:
        if step == 2:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt), caplog.at_level(logging.INFO, "florence2"):
        florence2.train({**RECIPE, "dataset": scenes}, tmp_path, sink=stop)
    assert "the training is not finished; resume it by" in caplog.text
    with pytest.raises(ModelError, match="this run has no checkpoint yet; resume it by: florence2 train --resume"):
        florence2.load(tmp_path / "1")


def test_an_evaluation_that_was_cut_off_trains_nothing_again(
    result: TrainingResult, scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Path(shutil.copytree(result.folder, tmp_path / "1"))
    shutil.rmtree(run / "report")
    monkeypatch.setattr("florence2.training.fitting.fit", lambda *_, **__: pytest.fail("it trained again"))
    again = florence2.train({"metrics": ["vqa_accuracy"]}, tmp_path, resume=True)
    assert again.metrics == {"vqa_accuracy": result.metrics["vqa_accuracy"]}
    assert again.history == result.history
    written = yaml.safe_load((run / "configuration.yaml").read_text())["parameters"]
    assert written["evaluation"]["metrics"] == ["vqa_accuracy"], "as it was evaluated"
    assert written["training"]["epochs"] == 3


def test_what_is_wrong_from_the_start_leaves_no_folder(scenes: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError):
        florence2.train({"dataset": tmp_path / "none"}, tmp_path / "runs")
    with pytest.raises(ConfigurationError, match=r"training.best_by: 'map500' is not a score of"):
        florence2.train({"dataset": scenes, "best_by": "map500"}, tmp_path / "runs")
    script = {"dataset": scenes, "metrics": ["__main__:M"], "processes": 2}
    with pytest.raises(ConfigurationError, match="several processes train, and each must import it; define it"):
        florence2.train(script, tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_script_without_logging_shows_its_progress_and_may_define_a_metric(scenes: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(_SCRIPT.format(settings={**RECIPE, "epochs": 1, "dataset": str(scenes)}))
    root = str(Path(__file__).resolve().parents[2])
    ended = subprocess.run(
        [sys.executable, script.name],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = ended.stderr.splitlines()
    assert "the run is kept in runs/1" in lines
    assert any(line.startswith("base: validation loss ") for line in lines)
    shown = [line for line in lines if line.startswith("epoch 1/1: loss ")]
    assert len(shown) == 1
    assert ", validation loss " in shown[0]
    assert ", first_word " in shown[0]
    assert not [line for line in lines if "\r" in line or "it/s" in line], "no progress bar where no terminal is"
    assert ended.stdout == "[] 0\n['map50', 'first_word']\n"


_SCRIPT = """
import logging
import florence2

class FirstWordMetric(florence2.AnswerMetric):
    name = "first_word"

    def score(self, prediction, target):
        return float(prediction.split()[:1] == target.split()[:1])

    def describe(self):
        return "Share of answers whose first word is right."

metrics = ["mean_average_precision", FirstWordMetric]
result = florence2.train({{**{settings!r}, "metrics": metrics, "best_by": "first_word"}}, "runs")
logger = logging.getLogger("florence2")
print(logger.handlers, logger.level)
print([name for name in result.metrics if name in ("map50", "first_word")])
"""
