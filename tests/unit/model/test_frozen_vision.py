"""A frozen vision tower: it never moves, it is never computed twice, and from the cache it gives the same losses."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from florence2.config import ModelConfig, ObjectiveConfig
from florence2.datasets.formats import read_dataset
from florence2.datasets.manifest import DatasetManifest
from florence2.model.base import base_fingerprint, load_base
from florence2.model.florence import Florence2
from florence2.model.frozen_vision import FrozenVision, feature_pool, fill_features, freeze_vision
from florence2.model.pixels import PixelTransform
from florence2.storage.array_pool import ArrayPool
from florence2.training.batches import TrainingSamples, collate, pixel_pool
from tests.builders import write_scenes

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def loaded() -> Florence2:
    return load_base(ModelConfig(base="builtin:nano"))


@pytest.fixture
def nano(loaded: Florence2, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Florence2:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Florence2(copy.deepcopy(loaded.model), loaded.processor)


@pytest.fixture(scope="module")
def train(tmp_path_factory: pytest.TempPathFactory) -> DatasetManifest:
    return read_dataset(write_scenes(tmp_path_factory.mktemp("scenes"), train=12)).select("train")


@pytest.fixture
def seen(nano: Florence2) -> Iterator[Counter[str]]:
    """Count the images that the tower computes."""
    counts: Counter[str] = Counter()
    tower: Any = freeze_vision(nano).tower
    hook = tower.register_forward_hook(lambda _module, inputs, _output: counts.update(images=len(inputs[0])))
    yield counts
    hook.remove()


def files_of(train: DatasetManifest) -> dict[str, Path]:
    root = train.fetch_root()
    return {name: root / image for name, image in zip(train.table["sha256"], train.table["image"], strict=True)}


def features_of(nano: Florence2, train: DatasetManifest, fingerprint: str = "base") -> ArrayPool:
    pool = feature_pool(nano, fingerprint, 1.0)
    pool.admit(files_of(train))
    for _ in fill_features(nano, pool, files_of(train), CPU):
        pass
    return pool


def batches_of(nano: Florence2, train: DatasetManifest, pool: ArrayPool | None = None) -> list[dict[str, torch.Tensor]]:
    """Return batches of four rows as the model takes them."""
    transform = PixelTransform.of(nano.processor)
    rows = TrainingSamples(train, nano, ObjectiveConfig(), None, 0, pool or pixel_pool(transform, 0.0))
    batches = []
    for start in range(0, len(rows), 4):
        batch = collate(rows.__getitems__(range(start, start + 4)), nano.tokenizer.pad_token_id)
        del batch["rows"]
        if batch["pixel_values"].dtype == torch.uint8:
            batch["pixel_values"] = transform.normalise(batch["pixel_values"])
        batches.append(batch)
    return batches


def train_on(nano: Florence2, batches: list[dict[str, torch.Tensor]]) -> list[float]:
    """Train for a step on each batch and return the losses."""
    model: Any = nano.model
    torch.manual_seed(0)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3)
    losses = []
    for batch in batches:
        model.train()
        loss = model(**batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


def test_the_tower_stays_equal_and_in_evaluation_mode_while_the_rest_trains(
    nano: Florence2, train: DatasetManifest
) -> None:
    model: Any = nano.model
    model.requires_grad_(True)
    frozen = freeze_vision(nano)
    before = copy.deepcopy(frozen.tower.state_dict())
    projector = copy.deepcopy(model.model.multi_modal_projector.state_dict())
    train_on(nano, batches_of(nano, train)[:2])
    after = frozen.tower.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert model.training
    assert not any(module.training for module in frozen.tower.modules())
    moved = model.model.multi_modal_projector.state_dict()
    assert any(not torch.equal(projector[name], moved[name]) for name in projector)


def test_the_tower_is_no_part_of_what_is_saved_or_trained(nano: Florence2) -> None:
    model: Any = nano.model
    whole = set(model.state_dict())
    model.requires_grad_(True)
    tower = {f"model.vision_tower.{name}" for name in freeze_vision(nano).tower.state_dict()}
    assert tower
    assert set(model.state_dict()) == whole - tower
    assert not [name for name, _ in model.named_parameters() if "vision_tower" in name]
    assert not any(parameter.requires_grad for parameter in freeze_vision(nano).tower.parameters())


def test_to_freeze_twice_is_to_freeze_once(nano: Florence2) -> None:
    frozen = freeze_vision(nano)
    assert freeze_vision(nano) is frozen
    assert not isinstance(frozen.tower, FrozenVision)


def test_a_frozen_model_answers_as_it_did(nano: Florence2, train: DatasetManifest) -> None:
    model: Any = nano.model
    batch = batches_of(nano, train)[0]
    with torch.no_grad():
        before = model(**batch).logits
        freeze_vision(nano)
        assert torch.equal(model(**batch).logits, before)


def test_the_gradient_of_the_projector_is_the_same_from_features(nano: Florence2, train: DatasetManifest) -> None:
    model: Any = nano.model
    model.requires_grad_(True)
    freeze_vision(nano)
    gradients = []
    for batches in (batches_of(nano, train), batches_of(nano, train, features_of(nano, train))):
        model.eval()
        model.zero_grad()
        model(**batches[0]).loss.backward()
        gradients.append([p.grad.clone() for p in model.model.multi_modal_projector.parameters() if p.grad is not None])
    pixels, features = gradients
    assert len(pixels) == len(features) > 0
    assert any(gradient.abs().max() > 0 for gradient in pixels)
    assert all(torch.equal(one, other) for one, other in zip(pixels, features, strict=True))


def test_losses_from_the_cache_are_those_of_the_uncached_tower_to_the_bit(
    nano: Florence2, train: DatasetManifest, seen: Counter[str]
) -> None:
    other = Florence2(copy.deepcopy(nano.model), nano.processor)
    for model in (nano.model, other.model):
        model.requires_grad_(True)
    features = features_of(nano, train)
    cached = batches_of(nano, train, features)
    seen.clear()
    assert {batch["pixel_values"].dtype for batch in cached} == {torch.float32}
    losses = train_on(nano, cached)
    assert not seen
    assert losses == train_on(other, batches_of(other, train))
    assert len(set(losses)) == len(losses) == 6


def test_a_second_run_finds_the_features_of_the_first(
    nano: Florence2, train: DatasetManifest, seen: Counter[str]
) -> None:
    first = features_of(nano, train)
    assert seen["images"] == 12
    seen.clear()
    second = features_of(nano, train)
    assert not seen
    for name in files_of(train):
        one, other = first.get(name), second.get(name)
        assert one is not None
        assert other is not None
        np.testing.assert_array_equal(one, other)


def test_features_do_not_depend_on_the_other_images_of_a_batch(nano: Florence2, train: DatasetManifest) -> None:
    """A run that was killed while it filled the cache fills the rest in other batches, and must end the same."""
    files = files_of(train)
    pools = [feature_pool(nano, f"base {number}", 1.0) for number in range(2)]
    for pool in pools:
        pool.admit(files)
    for names in [[name] for name in files], [list(files)]:
        for some in names:
            list(fill_features(nano, pools[len(names) == 1], {name: files[name] for name in some}, CPU))
    for name in files:
        one, other = (pool.get(name) for pool in pools)
        assert one is not None
        assert other is not None
        np.testing.assert_array_equal(one, other)


def test_only_missing_features_are_computed_and_progress_is_reported(
    nano: Florence2, train: DatasetManifest, seen: Counter[str]
) -> None:
    files = files_of(train)
    pool = feature_pool(nano, "base", 1.0)
    pool.admit(files)
    some = dict(list(files.items())[:3])
    assert list(fill_features(nano, pool, some, CPU)) == [3]
    seen.clear()
    assert list(fill_features(nano, pool, files, CPU)) == [8, 9]  # the ninth with itself
    assert seen["images"] == 8 + 2
    assert list(fill_features(nano, pool, files, CPU)) == []


def test_another_base_or_processor_has_features_of_its_own(nano: Florence2, train: DatasetManifest) -> None:
    name = next(iter(files_of(train)))
    pool = features_of(nano, train, base_fingerprint(ModelConfig(base="builtin:nano")))
    assert pool.get(name) is not None
    assert feature_pool(nano, base_fingerprint(ModelConfig(base="builtin:nano")), 1.0).get(name) is not None
    assert feature_pool(nano, "of another base", 1.0).get(name) is None
    processor: Any = copy.deepcopy(nano.processor)
    processor.image_processor.image_mean = [0.5, 0.5, 0.5]
    other = Florence2(nano.model, processor)
    assert feature_pool(other, base_fingerprint(ModelConfig(base="builtin:nano")), 1.0).get(name) is None


def test_features_are_of_the_very_pixels_that_the_loader_makes(nano: Florence2, tmp_path: Path) -> None:
    """A large JPEG is decoded at a reduced size: for both, or the losses of a run would depend on its cache."""
    from PIL import Image

    file = tmp_path / "large.jpg"
    values = np.random.default_rng(0).integers(0, 256, (300, 500, 3), dtype=np.uint8)
    Image.fromarray(values).resize((1000, 600)).save(file)
    transform = PixelTransform.of(nano.processor)
    pool = feature_pool(nano, "base", 1.0)
    pool.admit(["a"])
    assert list(fill_features(nano, pool, {"a": file}, CPU)) == [1]
    pixels = transform.normalise(torch.from_numpy(np.stack([transform.shrink(transform.open(file))] * 2)))
    with torch.no_grad():
        expected: Any = freeze_vision(nano)(pixels)
    found = pool.get("a")
    assert found is not None
    np.testing.assert_array_equal(found, expected.last_hidden_state[0].numpy())


def test_the_shape_of_features_follows_from_the_configuration(nano: Florence2) -> None:
    """At the size of Florence-2-base one look of the tower at nothing would take seconds in every start."""
    width, height = PixelTransform.of(nano.processor).size_wh
    tower: Any = nano.model.model.vision_tower
    shape = tower(torch.zeros(1, 3, height, width)).last_hidden_state.shape[1:]
    pool = feature_pool(nano, "base", 1.0)
    assert pool.array_bytes - shape.numel() * 4 == 128  # what a .npy file begins with
