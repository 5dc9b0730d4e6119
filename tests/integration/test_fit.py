"""The fine-tune: exactly what should train trains, the best epoch is kept, a checkpoint comes back as it was."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoProcessor, Florence2ForConditionalGeneration

from florence2.config import Configuration, EvaluationConfig, ModelConfig
from florence2.datasets.formats import read_dataset
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import ConfigurationError, DatasetError, ModelError, TrainingError
from florence2.images.files import open_rgb
from florence2.inference.generation import predict
from florence2.model.base import BUILTIN_MODELS, load_base
from florence2.model.checkpoint import Checkpoint
from florence2.model.florence import LORA_TARGETS
from florence2.model.processing import samples_of
from florence2.training.fitting import fit
from florence2.training.job import new_word_ids
from florence2.training.monitoring import Monitoring
from tests.builders import write_scenes

SHORT = Configuration(base="builtin:nano", epochs=2, batch_size=4, rank=4, max_new_tokens=16, learning_rate=1e-3)
ANSWERS = EvaluationConfig(max_new_tokens=16, grammar="off")  # plain transformers has no grammar


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> DatasetManifest:
    return read_dataset(write_scenes(tmp_path_factory.mktemp("scenes")))


@pytest.fixture(scope="module", params=["lora", "full", "freeze"])
def checkpoint(
    request: pytest.FixtureRequest, splits: DatasetManifest, tmp_path_factory: pytest.TempPathFactory
) -> Checkpoint:
    training = SHORT.training.model_copy(update={"strategy": request.param})
    return fit(splits, SHORT.model, training, tmp_path_factory.mktemp(request.param) / "checkpoint")


def test_what_is_frozen_stays_equal_to_the_bit(splits: DatasetManifest, checkpoint: Checkpoint) -> None:
    base = load_base(ModelConfig(base="builtin:nano")).model.state_dict()
    tuned = checkpoint.load().model.state_dict()
    moved = {name for name, weight in tuned.items() if not torch.equal(weight, base[name])}
    assert moved
    if checkpoint.strategy == "lora":
        targets = {name for name in base if re.fullmatch(LORA_TARGETS["all"], name.removesuffix(".weight"))}
        assert moved - targets == _tied(tuned)
        words = new_word_ids(splits.select("train"), load_base(ModelConfig(base="builtin:nano")))
        rows = (tuned["lm_head.weight"] != base["lm_head.weight"]).any(dim=1).nonzero().flatten().tolist()
        assert set(rows) <= set(words)
    elif checkpoint.strategy == "freeze":
        vision = {name for name in base if "vision_tower" in name}
        assert vision
        assert not moved & vision
        assert any("multi_modal_projector" in name for name in moved)
    else:
        assert all(any(part in name for name in moved) for part in ("vision_tower", "projector", "language_model"))


def _tied(state: Mapping[str, torch.Tensor]) -> set[str]:
    shared = state["lm_head.weight"]
    return {name for name, weight in state.items() if weight.shape == shared.shape and torch.equal(weight, shared)}


def test_the_kept_epoch_is_the_best_by_validation(checkpoint: Checkpoint) -> None:
    losses = {entry["epoch"]: entry["eval_loss"] for entry in checkpoint.history if "eval_loss" in entry}
    assert len(losses) == SHORT.training.epochs
    assert losses[checkpoint.epoch] == min(losses.values()) == checkpoint.metrics["eval_loss"]


def test_the_weights_of_a_later_worse_epoch_are_not_kept(splits: DatasetManifest, tmp_path: Path) -> None:
    """At this rate each epoch makes the model worse, so the first is the best and the last is the worst."""
    training = SHORT.training.model_copy(update={"epochs": 3, "learning_rate": 0.3, "schedule": "constant"})
    checkpoint = fit(splits, SHORT.model, training, tmp_path / "checkpoint")
    losses = [entry["eval_loss"] for entry in checkpoint.history if "eval_loss" in entry]
    assert losses[-1] > min(losses)
    tuned = checkpoint.load()
    tuned.model.eval()
    processor: Any = tuned.processor
    losses_of_answers = []
    with torch.no_grad():
        for sample in samples_of(splits.select("valid")):
            inputs = processor(images=open_rgb(sample.image), text=sample.prefix, return_tensors="pt")
            labels = processor.tokenizer(sample.suffix, return_tensors="pt")["input_ids"]
            losses_of_answers.append((tuned.model(**inputs, labels=labels).loss.item(), labels.numel()))
    # One sample at a time, where the validation takes four: how answers are batched cannot show.
    mean = sum(loss * count for loss, count in losses_of_answers) / sum(count for _, count in losses_of_answers)
    assert mean == pytest.approx(min(losses), rel=1e-5)


def test_a_training_that_diverges_says_so_and_leaves_no_checkpoint(splits: DatasetManifest, tmp_path: Path) -> None:
    training = SHORT.training.model_copy(update={"strategy": "full", "learning_rate": 1e8})
    rows = r"in the batch of train/annotations.jsonl:\d+, .*; lower training.learning_rate \(1e\+08\)"
    with pytest.raises(TrainingError, match=rf"(loss|gradient) is NaN or infinite after \d+ steps, {rows}"):
        fit(splits, SHORT.model, training, tmp_path / "checkpoint")
    assert not list((tmp_path / "checkpoint").glob("*"))


def test_a_checkpoint_holds_safetensors_and_json_only(checkpoint: Checkpoint) -> None:
    suffixes = {file.suffix for file in checkpoint.folder.rglob("*") if file.is_file()}
    assert suffixes <= {".safetensors", ".json", ".md"}


def test_a_checkpoint_comes_back_from_its_folder(checkpoint: Checkpoint) -> None:
    again = Checkpoint.read(checkpoint.folder)
    assert again == checkpoint
    assert again.compute_fingerprint() == checkpoint.compute_fingerprint()


def test_plain_transformers_gives_the_same_tokens_as_the_checkpoint(
    checkpoint: Checkpoint, splits: DatasetManifest, tmp_path: Path
) -> None:
    ours = checkpoint.load()
    folder = checkpoint.export(tmp_path / "merged")
    model: Any = Florence2ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
    processor = AutoProcessor.from_pretrained(folder)
    samples = samples_of(splits.select("test"))
    for sample, answer in zip(samples, predict(ours, samples, ANSWERS), strict=True):
        inputs = processor(images=open_rgb(sample.image), text=sample.prefix, return_tensors="pt")
        tokens = model.generate(**inputs, max_new_tokens=16, do_sample=False, num_beams=1)[0]
        text = processor.tokenizer.decode(tokens)
        assert re.sub("</?s>|<pad>", "", text).strip() == answer.text


def test_an_adapter_refuses_another_base_and_a_full_checkpoint_needs_none(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(BUILTIN_MODELS["builtin:nano"], tmp_path / "other"))
    (other / "generation_config.json").write_text("{}")
    moved = replace(checkpoint, base=str(other))
    if checkpoint.strategy != "lora":
        assert moved.load().model is not None
    else:
        with pytest.raises(ModelError, match=r"has changed.*restore that base or train again"):
            moved.load()


def test_a_damaged_adapter_is_an_error_of_ours(checkpoint: Checkpoint, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(checkpoint.folder, tmp_path / "copy"))
    for weights in copy.rglob("*.safetensors"):
        weights.write_bytes(b"no tensors")
    with pytest.raises(ModelError, match=r"is damaged|cannot be loaded"):
        Checkpoint.read(copy).load()


def test_a_damaged_card_is_an_error_of_ours(checkpoint: Checkpoint, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(checkpoint.folder, tmp_path / "copy"))
    (copy / "checkpoint.json").write_text("{")
    with pytest.raises(ModelError, match="is not a checkpoint"):
        Checkpoint.read(copy)


def test_the_same_seed_gives_the_same_weights_and_the_sink_receives_every_number(
    splits: DatasetManifest, tmp_path: Path
) -> None:
    training = SHORT.training.model_copy(update={"epochs": 1})
    received: list[tuple[Mapping[str, float], int]] = []
    first = fit(
        splits,
        SHORT.model,
        training,
        tmp_path / "1",
        monitoring=Monitoring(sink=lambda numbers, step: received.append((numbers, step))),
    )
    second = fit(splits, SHORT.model, training, tmp_path / "2")
    assert first.compute_fingerprint() == second.compute_fingerprint()
    assert {"loss", "learning_rate", "grad_norm", "images_per_second", "memory_gib", "eval_loss"} <= {
        name for numbers, _ in received for name in numbers
    }
    assert [step for _, step in received] == sorted(step for _, step in received)


def test_the_learning_rate_rises_to_its_peak_and_falls(splits: DatasetManifest, tmp_path: Path) -> None:
    """A peer trains at one constant rate."""
    training = SHORT.training.model_copy(update={"epochs": 3, "warmup": 0.4})
    history = fit(splits, SHORT.model, training, tmp_path / "checkpoint").history
    rates = [entry["learning_rate"] for entry in history if "learning_rate" in entry]
    peak = rates.index(max(rates))
    assert 0 < peak < len(rates) - 1
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert rates[0] < rates[peak] <= 1e-3


def test_a_score_without_an_evaluator_is_refused_before_training(splits: DatasetManifest, tmp_path: Path) -> None:
    training = SHORT.training.model_copy(update={"best_by": "map50"})
    with pytest.raises(ConfigurationError, match=r"training.best_by 'map50' needs an evaluator; pass monitoring"):
        fit(splits, SHORT.model, training, tmp_path / "checkpoint")


def test_a_batch_larger_than_the_split_is_named(splits: DatasetManifest, tmp_path: Path) -> None:
    training = SHORT.training.model_copy(update={"batch_size": 17})
    with pytest.raises(DatasetError, match=r"training.batch_size 17 is more than the 16 samples of the train split"):
        fit(splits, SHORT.model, training, tmp_path / "checkpoint")


def test_a_target_longer_than_the_positions_of_the_decoder_is_named(splits: DatasetManifest, tmp_path: Path) -> None:
    table = splits.table.copy()
    table.loc[3, "suffix"] = "word " * 2000
    long = replace(splits, table=table)
    with pytest.raises(DatasetError, match=r"answers are longer than \d+ tokens.*\n  train/annotations.jsonl:4: \d+"):
        fit(long, SHORT.model, SHORT.training, tmp_path / "checkpoint")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_validation_split_is_named(splits: DatasetManifest, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"the valid split of .* is empty"):
        fit(splits.select("train"), SHORT.model, SHORT.training, tmp_path / "checkpoint")
