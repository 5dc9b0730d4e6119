"""Settings of the engine and of the choice of the best epoch, each in whole fine-tunes of a tiny set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from florence2.config import Configuration
from florence2.datasets.formats import read_dataset
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import ConfigurationError, ModelError, TrainingError
from florence2.model.florence import Florence2
from florence2.training.fitting import fit
from florence2.training.monitoring import Monitoring, PreviewSink
from florence2.training.objective import AnswerLoss
from florence2.training.run_state import RunStorage
from tests.builders import write_scenes

SHORT = Configuration(base="builtin:nano", epochs=2, batch_size=4, rank=4, learning_rate=1e-3)


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> DatasetManifest:
    return read_dataset(write_scenes(tmp_path_factory.mktemp("scenes")))


def test_a_training_that_gets_no_better_ends_without_a_bar(
    splits: DatasetManifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    training = SHORT.training.model_copy(
        update={"strategy": "full", "epochs": 9, "learning_rate": 0.3, "schedule": "constant", "patience": 2}
    )
    storage = RunStorage(tmp_path / "run", latest=tmp_path / "latest")
    history = fit(splits, SHORT.model, training, tmp_path / "checkpoint", storage=storage).history
    assert "Writing" not in capsys.readouterr().err, "transformers' own bar"
    losses = [entry["eval_loss"] for entry in history if "eval_loss" in entry]
    assert len(losses) - 1 - losses.index(min(losses)) == 2
    assert len(losses) < 9


@pytest.mark.parametrize(("score", "best"), [("high", 2), ("low", 3)])
def test_the_best_epoch_may_be_that_of_another_score(
    splits: DatasetManifest, tmp_path: Path, score: str, best: int
) -> None:
    """The evaluator's scores are made up: the second epoch has the highest, the third the lowest."""
    training = SHORT.training.model_copy(update={"epochs": 3, "best_by": score})
    evaluator = MadeUp(score, higher_is_better=score == "high")
    shown: list[int] = []
    checkpoint = fit(
        splits,
        SHORT.model,
        training,
        tmp_path / "c",
        monitoring=Monitoring(evaluator=evaluator, preview=lambda _, step: shown.append(step)),
    )
    assert checkpoint.epoch == best
    assert checkpoint.metrics[f"eval_{score}"] == {"high": 0.9, "low": 0.1}[score]
    assert shown == [4, 8, 12]


@dataclass
class MadeUp:
    score: str
    higher_is_better: bool

    def __call__(self, florence2: Florence2, step: int, preview: PreviewSink | None) -> Mapping[str, float]:
        assert not florence2.model.training or step == 4
        if preview is not None:
            preview(Image.new("RGB", (2, 2)), step)
        return {"high": {4: 0.5, 8: 0.9, 12: 0.7}[step], "low": {4: 0.5, 8: 0.3, 12: 0.1}[step]}


@pytest.mark.parametrize("setting", [{"gradient_checkpointing": True}, {"loader_workers": 1}, {"image_cache_gib": 0.0}])
def test_the_engine_changes_how_fast_not_what_is_learnt(
    splits: DatasetManifest, tmp_path: Path, setting: dict[str, Any]
) -> None:
    training = SHORT.training.model_copy(update={"epochs": 1, "strategy": "full"})
    other = training.model_copy(update={"engine": training.engine.model_copy(update=setting)})
    first, second = (fit(splits, SHORT.model, t, tmp_path / str(n)) for n, t in enumerate((training, other)))
    assert first.compute_fingerprint() == second.compute_fingerprint()


def test_accumulated_steps_are_one_larger_batch(splits: DatasetManifest, tmp_path: Path) -> None:
    """Mean per token over the whole batch, not the mean of the means."""
    whole = SHORT.training.model_copy(update={"epochs": 1, "batch_size": 8})
    halves = whole.model_copy(update={"batch_size": 4, "gradient_accumulation": 2})
    first, second = (fit(splits, SHORT.model, t, tmp_path / str(n)) for n, t in enumerate((whole, halves)))
    for one, other in zip(first.history, second.history, strict=True):
        assert one.keys() == other.keys()
        assert [one[name] for name in one] == pytest.approx([other[name] for name in one], rel=1e-4)


def test_another_objective_trains_otherwise_but_is_validated_alike(splits: DatasetManifest, tmp_path: Path) -> None:
    training = SHORT.training.model_copy(update={"epochs": 1})
    objective = training.objective.model_copy(update={"eos_weight": 0.1, "location_smoothing": 3.0})
    other = training.model_copy(update={"objective": objective, "learning_rate": 1e-12})
    still = training.model_copy(update={"learning_rate": 1e-12})
    first, second = (fit(splits, SHORT.model, t, tmp_path / str(n)).history for n, t in enumerate((still, other)))
    assert first[0]["loss"] != pytest.approx(second[0]["loss"], rel=1e-2)
    assert first[-1]["eval_loss"] == pytest.approx(second[-1]["eval_loss"], rel=1e-5)
    assert AnswerLoss.of(training.objective, None) is None


def test_two_processes_train_as_one(splits: DatasetManifest, tmp_path: Path) -> None:
    """Gloo on the CPU: the same batch shared by two, the same losses to the last digits of float32."""
    received: list[str] = []
    shown: list[int] = []
    alone = SHORT.training.model_copy(update={"strategy": "full", "best_by": "high"})
    together = alone.model_copy(update={"engine": alone.engine.model_copy(update={"processes": 2})})
    evaluator = MadeUp("high", higher_is_better=True)
    one = fit(splits, SHORT.model, alone, tmp_path / "1", monitoring=Monitoring(evaluator=evaluator))
    two = fit(
        splits,
        SHORT.model,
        together,
        tmp_path / "2",
        monitoring=Monitoring(
            sink=lambda numbers, _: received.extend(numbers),
            evaluator=evaluator,
            preview=lambda image, step: shown.append(step + image.width),
        ),
    )
    assert [entry["step"] for entry in two.history] == [entry["step"] for entry in one.history]
    for first, second in zip(one.history, two.history, strict=True):
        assert [second[name] for name in first] == pytest.approx([first[name] for name in first], rel=1e-5)
    assert {"loss", "eval_loss", "images_per_second"} <= set(received)
    assert shown == [6, 10]
    assert two.epoch == 2


@pytest.mark.parametrize("processes", [1, 2])
def test_to_measure_the_base_first_changes_nothing(splits: DatasetManifest, tmp_path: Path, processes: int) -> None:
    """With dropout and a random order, so that a random number that the validation drew would show."""
    training = Configuration(
        epochs=1, batch_size=4, rank=4, learning_rate=1e-3, dropout=0.1, box_order="random", processes=processes
    ).training
    received: list[tuple[int, float]] = []
    measured = fit(
        splits,
        SHORT.model,
        training,
        tmp_path / "1",
        monitoring=Monitoring(
            sink=lambda numbers, step: received.extend(
                (step, numbers[name]) for name in numbers if name == "eval_loss"
            ),
            evaluate_base=True,
        ),
    )
    plain = fit(splits, SHORT.model, training, tmp_path / "2")
    assert [step for step, _ in received] == [0, 4]
    assert measured.compute_fingerprint() == plain.compute_fingerprint()
    assert measured.history == plain.history


def test_what_fails_in_a_process_is_reported_by_the_caller(splits: DatasetManifest, tmp_path: Path) -> None:
    training = SHORT.training.model_copy(
        update={
            "lora": SHORT.training.lora.model_copy(update={"targets": "o_proj"}),
            "engine": SHORT.training.engine.model_copy(update={"processes": 2}),
        }
    )
    with pytest.raises(ModelError, match=r"training.lora.targets: 'o_proj' matches no layer of the base"):
        fit(splits, SHORT.model, training, tmp_path / "c")
    assert list(tmp_path.iterdir()) == []


def test_a_batch_that_processes_cannot_share_is_refused(splits: DatasetManifest, tmp_path: Path) -> None:
    training = SHORT.training.model_copy(update={"engine": SHORT.training.engine.model_copy(update={"processes": 3})})
    with pytest.raises(ConfigurationError, match="batch_size 4 cannot be divided evenly among 3 processes"):
        fit(splits, SHORT.model, training, tmp_path / "c")


@pytest.mark.parametrize(
    ("scores", "error", "message"),
    [
        ({"other": 0.5}, ConfigurationError, r"training.best_by: the validation split does not define high; .*other"),
        (
            {"high": float("nan")},
            TrainingError,
            r"eval_high is NaN or infinite after 4 steps; lower training.learning_rate",
        ),
    ],
)
def test_a_score_that_does_not_exist_is_reported_at_the_first_validation(
    splits: DatasetManifest, tmp_path: Path, scores: dict[str, float], error: type[Exception], message: str
) -> None:
    training = SHORT.training.model_copy(update={"best_by": "high"})
    with pytest.raises(error, match=message):
        fit(splits, SHORT.model, training, tmp_path / "c", monitoring=Monitoring(evaluator=Always(scores)))


@dataclass
class Always:
    scores: dict[str, float]
    score: str = "high"
    higher_is_better: bool = True

    def __call__(self, florence2: Florence2, step: int, preview: PreviewSink | None) -> Mapping[str, float]:
        return self.scores


def test_a_process_alone_without_memory_ends_all_of_them_and_they_start_again(
    splits: DatasetManifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker cannot be patched from here, so the command that starts it patches it."""
    monkeypatch.setattr("florence2.training.launch._WORK", _SCARCE)
    monkeypatch.setattr("florence2.training.launch._PATIENCE_SECONDS", 1)
    training = SHORT.training.model_copy(
        update={"epochs": 1, "engine": SHORT.training.engine.model_copy(update={"processes": 2})}
    )
    checkpoint = fit(splits, SHORT.model, training, tmp_path / "c")
    assert [entry["step"] for entry in checkpoint.history if "loss" in entry] == [1, 2, 3, 4]


_SCARCE = """
import os, torch
from transformers import Trainer
from florence2.training.launch import work
step = Trainer.training_step
def scarce(self, model, inputs, *args):
    if os.environ["RANK"] == "1" and self.state.global_step == 1 and len(inputs["rows"]) > 1:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 MiB.")
    return step(self, model, inputs, *args)
Trainer.training_step = scarce
work()
"""
