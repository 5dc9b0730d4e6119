"""A run outlives kills, Ctrl-C, full disks and small memories, and ends as if nothing had happened."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import Trainer

from florence2.config import Configuration, TrainingConfig
from florence2.datasets.formats import read_dataset
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import OutOfMemoryError, TrainingError
from florence2.model.checkpoint import Checkpoint
from florence2.training.fitting import fit
from florence2.training.monitoring import Monitoring
from florence2.training.run_state import RunState, RunStorage
from florence2.training.trainer import FineTuner
from tests.builders import write_scenes

BASE = Configuration(base="builtin:nano").model

RECIPES = {
    "lora": Configuration(
        epochs=2, batch_size=4, rank=4, learning_rate=1e-3, dropout=0.1, eos_weight=0.5, location_smoothing=2.0
    ).training,
    "full": Configuration(
        epochs=3, batch_size=2, gradient_accumulation=2, learning_rate=1e-3, strategy="full"
    ).training,
    "freeze": Configuration(
        epochs=2, batch_size=4, learning_rate=1e-3, strategy="freeze", box_order="random", flip=0.5, crop=0.3, light=0.2
    ).training,
}


class KilledError(Exception):
    pass


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> DatasetManifest:
    """10 rows to train on: with batches of four the last of an epoch is smaller."""
    return read_dataset(write_scenes(tmp_path_factory.mktemp("scenes"), train=5, valid=2, test=2))


@pytest.fixture(scope="module")
def whole(splits: DatasetManifest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Checkpoint]:
    """Runs that nothing happened to."""
    folder = tmp_path_factory.mktemp("whole")
    return {name: fit(splits, BASE, recipe, folder / name) for name, recipe in RECIPES.items()}


def saving(recipe: TrainingConfig, minutes: float = 0.0) -> TrainingConfig:
    """Return a recipe that saves after each step, or hardly ever."""
    return recipe.model_copy(update={"engine": recipe.engine.model_copy(update={"save_minutes": minutes})})


def at_step(step: int, act: Callable[[], None]) -> Callable[[Mapping[str, float], int], None]:
    """Return a sink that acts when numbers of a step, or of a later one, come; only once."""
    waiting = [act]

    def sink(numbers: Mapping[str, float], now: int) -> None:
        if now >= step and waiting:
            waiting.pop()()

    return sink


def kill() -> None:
    raise KilledError


def assert_same(run: Checkpoint, other: Checkpoint) -> None:
    assert run.compute_fingerprint() == other.compute_fingerprint()
    assert run.history == other.history
    assert (run.epoch, run.metrics) == (other.epoch, other.metrics)


@pytest.mark.parametrize(
    ("recipe", "step"), [("lora", 2), ("lora", 3), ("full", 3), ("full", 5), ("freeze", 4), ("freeze", 5)]
)
def test_a_killed_run_ends_as_one_that_was_not(
    splits: DatasetManifest, whole: dict[str, Checkpoint], tmp_path: Path, recipe: str, step: int
) -> None:
    """KilledError within an epoch, at its end, and in the one after; weights and course are equal to the bit."""
    training = saving(RECIPES[recipe])
    with pytest.raises(KilledError):
        fit(splits, BASE, training, tmp_path / "c", monitoring=Monitoring(sink=at_step(step, kill)))
    assert not (tmp_path / "c").exists()
    steps: list[int] = []
    again = fit(splits, BASE, training, tmp_path / "c", monitoring=Monitoring(sink=lambda _, now: steps.append(now)))
    assert min(steps) >= step - 1
    assert_same(again, whole[recipe])
    assert not (tmp_path / "c.run").exists()


@pytest.mark.parametrize(("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_a_signal_saves_and_then_stops(
    splits: DatasetManifest,
    whole: dict[str, Checkpoint],
    tmp_path: Path,
    number: signal.Signals,
    error: type[BaseException],
    caplog: pytest.LogCaptureFixture,
) -> None:
    training, handler = saving(RECIPES["lora"], 60), signal.getsignal(number)
    send = at_step(2, lambda: os.kill(os.getpid(), number))
    with pytest.raises(error) as caught, caplog.at_level(logging.INFO):
        fit(splits, BASE, training, tmp_path / "c", monitoring=Monitoring(sink=send))
    if error is SystemExit:
        assert caught.value.code == 143  # type: ignore[attr-defined]
    assert f"{number.name}: the training stops after this step has been saved" in caplog.text
    assert "the run is kept in" in caplog.text
    assert [save.name for save in (tmp_path / "c.run").glob("checkpoint-*")] == ["checkpoint-3"]
    assert signal.getsignal(number) is handler
    assert_same(fit(splits, BASE, training, tmp_path / "c"), whole["lora"])


def test_a_torn_save_is_passed_over(splits: DatasetManifest, whole: dict[str, Checkpoint], tmp_path: Path) -> None:
    """As a kill in the middle of a save leaves it: the one before is whole."""
    training = saving(RECIPES["lora"])
    with pytest.raises(KilledError):
        fit(splits, BASE, training, tmp_path / "c", monitoring=Monitoring(sink=at_step(5, kill)))
    run = tmp_path / "c.run"
    saves = sorted(run.glob("checkpoint-*"))
    assert [save.name for save in saves] == ["checkpoint-3", "checkpoint-4"]
    (saves[1] / "optimizer.pt").write_bytes(b"half")
    torn = Path(shutil.copytree(saves[0], run / "checkpoint-5"))
    (torn / "complete.json").unlink()
    steps: list[int] = []
    assert_same(
        fit(splits, BASE, training, tmp_path / "c", monitoring=Monitoring(sink=lambda _, now: steps.append(now))),
        whole["lora"],
    )
    assert min(steps) == 4


def test_no_pickle_of_arguments_stays_in_a_save(splits: DatasetManifest, tmp_path: Path) -> None:
    with pytest.raises(KilledError):
        fit(splits, BASE, saving(RECIPES["lora"]), tmp_path / "c", monitoring=Monitoring(sink=at_step(2, kill)))
    names = {file.name for file in (tmp_path / "c.run").rglob("*") if file.is_file()}
    assert "adapter_model.safetensors" in names
    assert "training_args.bin" not in names


def test_a_run_of_something_else_is_refused(splits: DatasetManifest, tmp_path: Path) -> None:
    training = saving(RECIPES["lora"])
    with pytest.raises(KilledError):
        fit(splits, BASE, training, tmp_path / "c", monitoring=Monitoring(sink=at_step(2, kill)))
    other = training.model_copy(update={"epochs": 5, "learning_rate": 2e-3})
    with pytest.raises(
        TrainingError, match=r"folder of another run.*\n  training.epochs: 2 before, 5 now\n  .*learning_"
    ):
        fit(splits, BASE, other, tmp_path / "c")
    less = replace_split(splits)
    with pytest.raises(TrainingError, match=r"\n  data: \w+ before, \w+ now$"):
        fit(less, BASE, training, tmp_path / "c")


def replace_split(splits: DatasetManifest) -> DatasetManifest:
    """Return the splits with one row less to train on."""
    return splits.drop([0])


def test_a_training_that_had_ended_is_not_done_again(
    splits: DatasetManifest, whole: dict[str, Checkpoint], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """KilledError between the last step and the checkpoint."""
    with monkeypatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(Checkpoint, "write_card", lambda self: kill())
        fit(splits, BASE, RECIPES["lora"], tmp_path / "c")
    assert not (tmp_path / "c").exists(), "it appears with all that belongs to it"
    monkeypatch.setattr("florence2.training.fitting.launch", lambda *_: pytest.fail("it trained again"))
    assert_same(fit(splits, BASE, RECIPES["lora"], tmp_path / "c"), whole["lora"])


def test_a_full_disk_keeps_the_save_before(
    splits: DatasetManifest, whole: dict[str, Checkpoint], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As torch says it, whose error hides the one of the system."""
    training, save = saving(RECIPES["lora"]), torch.save

    def full(value: Any, path: Any, *args: Any, **options: Any) -> None:
        if "checkpoint-4" in str(path):
            Path(path).write_bytes(b"ha")
            path = "/dev/full"  # writing to it fails as on a full disk
        save(value, path, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", full)
        with pytest.raises(TrainingError, match=r"checkpoint-4: the disk is full; the save of step 3 is kept: free"):
            fit(splits, BASE, training, tmp_path / "c")
    assert_same(fit(splits, BASE, training, tmp_path / "c"), whole["lora"])


def test_a_batch_that_does_not_fit_is_halved_and_added_up(
    splits: DatasetManifest,
    whole: dict[str, Checkpoint],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    training, step = saving(RECIPES["full"], 60), Trainer.training_step
    sizes: list[int] = []

    def scarce(self: Trainer, model: Any, inputs: Any, *args: Any) -> torch.Tensor:
        sizes.append(len(inputs["rows"]))
        if self.state.global_step >= 1 and sizes[-1] > 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 MiB.")
        return step(self, model, inputs, *args)

    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(Trainer, "training_step", scarce)
        checkpoint = fit(splits, BASE, training, tmp_path / "c")
    assert "a micro-batch of 2 samples does not fit into the memory: from here on 1" in caplog.text
    assert sizes[:3] == [2, 2, 2]
    assert set(sizes[3:]) == {1}
    wanted = [entry["loss"] for entry in whole["full"].history if "loss" in entry]
    assert [entry["loss"] for entry in checkpoint.history if "loss" in entry] == pytest.approx(wanted, rel=1e-3)


def test_one_sample_that_does_not_fit_is_an_error(
    splits: DatasetManifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scarce(*args: Any) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 MiB.")

    monkeypatch.setattr(Trainer, "training_step", scarce)
    with pytest.raises(OutOfMemoryError, match=r"not even one sample fits.*gradient_checkpointing, or use a smaller"):
        fit(splits, BASE, RECIPES["lora"], tmp_path / "c")
    assert list(tmp_path.iterdir()) == []


def test_a_bad_number_stops_before_it_reaches_the_weights(splits: DatasetManifest, tmp_path: Path) -> None:
    training = saving(RECIPES["full"]).model_copy(update={"learning_rate": 1e8, "warmup": 0.5})
    with pytest.raises(TrainingError, match=r"NaN or infinite after (\d+) steps"):
        fit(splits, BASE, training, tmp_path / "c")
    from safetensors.torch import load_file

    saves = list((tmp_path / "c.run").glob("checkpoint-*"))
    assert saves
    for save in saves:
        assert json.loads((save / "complete.json").read_text())
        assert all(bool(weights.isfinite().all()) for weights in load_file(save / "model.safetensors").values())


def test_memory_that_runs_out_in_the_validation_loses_no_epoch(
    splits: DatasetManifest, whole: dict[str, Checkpoint], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training, validate = saving(RECIPES["full"], 60), FineTuner.prediction_step
    failed: list[int] = []

    def scarce(self: FineTuner, model: Any, inputs: Any, *args: Any, **options: Any) -> Any:
        if self.state.global_step == 6 and not failed:
            failed.append(6)
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 MiB.")
        return validate(self, model, inputs, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(FineTuner, "prediction_step", scarce)
        checkpoint = fit(splits, BASE, training, tmp_path / "c")
    assert failed
    steps = [entry["step"] for entry in checkpoint.history if "eval_loss" in entry]
    assert steps == [entry["step"] for entry in whole["full"].history if "eval_loss" in entry]


def test_loader_processes_change_nothing_also_over_a_kill(splits: DatasetManifest, tmp_path: Path) -> None:
    """With dropout, so that a random number drawn by a loader would show."""
    engine = RECIPES["lora"].engine.model_copy(update={"loader_workers": 1, "save_minutes": 0.0})
    training = RECIPES["lora"].model_copy(update={"engine": engine})
    with pytest.raises(KilledError):
        fit(splits, BASE, training, tmp_path / "c", monitoring=Monitoring(sink=at_step(4, kill)))
    again = fit(splits, BASE, training, tmp_path / "c")
    without = fit(splits, BASE, RECIPES["lora"], tmp_path / "d")
    assert again.compute_fingerprint() == without.compute_fingerprint()


@pytest.mark.parametrize("name", ["lora", "full"])
def test_a_checkpoint_that_was_not_stored_costs_no_training(
    splits: DatasetManifest,
    whole: dict[str, Checkpoint],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    """As where an artifact store fails after the training: the same call gives the same weights and curves again."""
    first = fit(splits, BASE, RECIPES[name], tmp_path / "c", storage=RunStorage(tmp_path / "c.run", keep=True))
    kept = {file.suffix for file in (tmp_path / "c.run").rglob("*") if file.is_file()}
    assert not kept & {".pt", ".pth"}, "only the weights are kept"
    shutil.rmtree(first.folder)
    monkeypatch.setattr("florence2.training.fitting.launch", lambda *_: pytest.fail("it trained again"))
    received: list[tuple[int, float]] = []
    again = fit(
        splits,
        BASE,
        RECIPES[name],
        tmp_path / "c",
        monitoring=Monitoring(
            sink=lambda numbers, step: received.extend((step, value) for key, value in numbers.items() if key == "loss")
        ),
    )
    assert received == [(entry["step"], entry["loss"]) for entry in again.history if "loss" in entry]
    assert received
    assert_same(again, whole[name])
    assert not (tmp_path / "c.run").exists()


def test_a_run_killed_after_its_last_validation_has_ended(
    splits: DatasetManifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Patience had run out when it was killed: another epoch might become the best one."""
    training = saving(RECIPES["lora"]).model_copy(
        update={"epochs": 9, "learning_rate": 0.3, "schedule": "constant", "patience": 1}
    )
    uninterrupted = fit(splits, BASE, training, tmp_path / "u")
    finish = RunState.finish
    monkeypatch.setattr(RunState, "finish", lambda *args, **facts: kill())
    with pytest.raises(KilledError):
        fit(splits, BASE, training, tmp_path / "c")
    monkeypatch.setattr(RunState, "finish", finish)
    assert_same(fit(splits, BASE, training, tmp_path / "c"), uninterrupted)
