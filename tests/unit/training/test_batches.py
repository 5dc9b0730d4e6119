"""Training batches: what the model sees and what the loss counts. Many tests guard against a defect of a peer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader

from florence2.config import AugmentationConfig, ModelConfig, ObjectiveConfig
from florence2.datasets.formats import read_dataset
from florence2.datasets.manifest import DatasetManifest
from florence2.images.files import open_rgb
from florence2.model import pixels
from florence2.model.base import load_base
from florence2.model.florence import Florence2
from florence2.model.pixels import PixelTransform
from florence2.model.processing import IGNORED, Sample, encode_prompts, samples_of
from florence2.storage.array_pool import ArrayPool
from florence2.training.batches import TrainingSamples, collate, pixel_pool
from florence2.training.sampling import Draw
from tests.builders import write_scenes

NONE = AugmentationConfig()
CHANGES = AugmentationConfig(flip=0.5, crop=0.4, light=0.3)


@pytest.fixture(scope="module")
def nano() -> Florence2:
    return load_base(ModelConfig(base="builtin:nano"))


@pytest.fixture(scope="module")
def train(tmp_path_factory: pytest.TempPathFactory) -> DatasetManifest:
    return read_dataset(write_scenes(tmp_path_factory.mktemp("scenes"))).select("train")


@pytest.fixture(scope="module")
def samples(train: DatasetManifest) -> list[Sample]:
    return samples_of(train)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[Path]]:
    """Count how often each file is decoded."""
    counts: Counter[Path] = Counter()

    def counting(source: Any, least_side: int | None = None) -> Any:
        counts[source] += 1
        return open_rgb(source, least_side)

    monkeypatch.setattr(pixels, "open_rgb", counting)
    yield counts


def rows_of(
    train: DatasetManifest,
    nano: Florence2,
    augmentation: AugmentationConfig | None = NONE,
    order: Any = "given",
    seed: int = 0,
    pool: ArrayPool | None = None,
) -> TrainingSamples:
    if pool is None:
        pool = pixel_pool(PixelTransform.of(nano.processor), 1.0)
        pool.admit(train.table["sha256"])
    return TrainingSamples(train, nano, ObjectiveConfig(box_order=order), augmentation, seed, pool)


def batch_of(rows: TrainingSamples, nano: Florence2, *draws: Draw | int) -> dict[str, torch.Tensor]:
    return collate(rows.__getitems__(draws), nano.tokenizer.pad_token_id)


def for_model(batch: dict[str, torch.Tensor], nano: Florence2) -> dict[str, torch.Tensor]:
    """Do what the trainer does with a batch: pixels are made of bytes where the model computes."""
    inputs = {name: values for name, values in batch.items() if name != "rows"}
    return inputs | {"pixel_values": PixelTransform.of(nano.processor).normalise(batch["pixel_values"])}


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


# --- what a batch holds --------------------------------------------------------------------------------------------


def test_a_batch_is_what_processor_and_tokenizer_give(
    train: DatasetManifest, nano: Florence2, samples: list[Sample]
) -> None:
    batch = batch_of(rows_of(train, nano), nano, *range(6))
    images = [open_rgb(sample.image) for sample in samples[:6]]
    plain = encode_prompts(nano.processor, images, [sample.prefix for sample in samples[:6]])
    answers = nano.tokenizer([sample.suffix for sample in samples[:6]], padding=True, return_tensors="pt")
    ours = for_model(batch, nano)
    torch.testing.assert_close(ours["pixel_values"], plain["pixel_values"], rtol=0, atol=1e-6)
    assert torch.equal(ours["input_ids"], plain["input_ids"])
    assert torch.equal(ours["attention_mask"], plain["attention_mask"])
    assert torch.equal(ours["labels"], answers["input_ids"].masked_fill(answers["attention_mask"] == 0, IGNORED))
    assert batch["pixel_values"].dtype == torch.uint8
    assert batch["rows"].tolist() == list(range(6))


def test_padding_is_no_part_of_the_labels_and_hidden_by_the_mask(
    train: DatasetManifest, nano: Florence2, samples: list[Sample]
) -> None:
    batch = batch_of(rows_of(train, nano), nano, 0, 1, 2, 3)
    pad = nano.tokenizer.pad_token_id
    assert (batch["labels"] != pad).all()
    lengths = [len(nano.tokenizer(sample.suffix)["input_ids"]) for sample in samples[:4]]
    assert (batch["labels"] != IGNORED).sum(dim=1).tolist() == lengths
    assert len(set(lengths)) > 1
    assert torch.equal(batch["attention_mask"] == 0, batch["input_ids"] == pad)
    assert (batch["attention_mask"] == 0).any()


def test_labels_are_the_answer_between_begin_and_end(
    train: DatasetManifest, nano: Florence2, samples: list[Sample]
) -> None:
    labels = batch_of(rows_of(train, nano), nano, 0)["labels"][0].tolist()
    assert labels[0] == nano.tokenizer.bos_token_id
    assert labels[-1] == nano.tokenizer.eos_token_id
    assert nano.tokenizer.decode(labels[1:-1]) == samples[0].suffix


def test_the_loss_is_plain_cross_entropy_of_the_labels(train: DatasetManifest, nano: Florence2) -> None:
    """Earlier transformers shifted the labels a second time and trained every token on its successor's label."""
    batch = for_model(batch_of(rows_of(train, nano), nano, 0, 1, 2, 3), nano)
    nano.model.eval()
    with torch.no_grad():
        output: Any = nano.model(**batch)
    by_hand = cross_entropy(output.logits.flatten(0, 1), batch["labels"].flatten(), ignore_index=IGNORED)
    torch.testing.assert_close(output.loss, by_hand, rtol=1e-5, atol=1e-6)


def test_the_loss_of_a_sample_does_not_depend_on_its_company(train: DatasetManifest, nano: Florence2) -> None:
    """Holds only if padding is masked on both sides: in the prompt and in the labels."""
    rows = rows_of(train, nano)
    nano.model.eval()
    model: Any = nano.model
    with torch.no_grad():
        together = model(**for_model(batch_of(rows, nano, 0, 1), nano)).logits
        for row in (0, 1):
            alone = model(**for_model(batch_of(rows, nano, row), nano)).logits[0]
            torch.testing.assert_close(together[row, : len(alone)], alone, rtol=1e-4, atol=1e-4)


def test_lengths_and_locations_are_those_of_the_samples(train: DatasetManifest, nano: Florence2) -> None:
    rows = rows_of(train, nano)
    assert rows.answer_lengths == nano.count_answer_tokens(train.table["suffix"].tolist())
    assert rows.locations([3, 0]) == ["train/annotations.jsonl:4", "train/annotations.jsonl:1"]
    assert len(rows) == len(train)


# --- the caches ----------------------------------------------------------------------------------------------------


def test_a_batch_is_the_same_from_a_cold_a_warm_and_a_damaged_cache(
    train: DatasetManifest, nano: Florence2, cache: Path, opened: Counter[Path]
) -> None:
    cold = batch_of(rows_of(train, nano), nano, *range(8))
    files = sorted(cache.rglob("*.npy"))
    assert len(files) == len(opened) == 4
    opened.clear()
    assert equal(batch_of(rows_of(train, nano), nano, *range(8)), cold)
    assert not opened
    files[0].write_bytes(files[0].read_bytes()[:-1])
    assert equal(batch_of(rows_of(train, nano), nano, *range(8)), cold)
    assert len(opened) == 1
    opened.clear()
    assert equal(batch_of(rows_of(train, nano), nano, *range(8)), cold)
    assert not opened


def test_without_room_for_a_cache_batches_are_the_same(
    train: DatasetManifest, nano: Florence2, cache: Path, opened: Counter[Path]
) -> None:
    kept = batch_of(rows_of(train, nano), nano, *range(8))
    none = pixel_pool(PixelTransform.of(nano.processor), 0.0)
    none.admit(train.table["sha256"])
    assert not list(cache.rglob("*.npy"))
    opened.clear()
    for _ in range(2):
        assert equal(batch_of(rows_of(train, nano, pool=none), nano, *range(8)), kept)
    assert sum(opened.values()) == 16


def test_where_one_feature_is_gone_the_tower_sees_the_whole_batch(
    train: DatasetManifest, nano: Florence2, cache: Path
) -> None:
    features = ArrayPool(cache / "features", (16, 2, 2), np.dtype(np.float32), 10**6)
    names = train.table["sha256"].tolist()
    features.admit(names)
    for name in dict.fromkeys(names):
        features.put(name, np.ones((16, 2, 2), np.float32))
    rows = rows_of(train, nano, pool=features)
    assert batch_of(rows, nano, 0, 2)["pixel_values"].shape == (2, 16, 2, 2)
    (cache / "features" / f"{names[2]}.npy").unlink()
    assert equal(batch_of(rows, nano, 0, 2), batch_of(rows_of(train, nano), nano, 0, 2))
    assert features.get(names[2]) is None
    assert batch_of(rows, nano, 0, 4)["pixel_values"].shape == (2, 16, 2, 2)


# --- what is random ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("augmentation", "order"), [(CHANGES, "given"), (None, "left_to_right"), (CHANGES, "random")])
def test_worker_processes_make_the_same_batches(
    train: DatasetManifest, nano: Florence2, augmentation: AugmentationConfig | None, order: str
) -> None:
    rows = rows_of(train, nano, augmentation, order, seed=3)
    draws = [Draw(1, row) for row in range(len(train))]
    here = [batch_of(rows, nano, *draws[start : start + 4]) for start in range(0, len(draws), 4)]
    loader = DataLoader(
        rows,
        batch_size=4,
        sampler=draws,
        num_workers=2,
        collate_fn=partial(collate, pad_id=nano.tokenizer.pad_token_id),
    )
    assert all(equal(one, other) for one, other in zip(here, loader, strict=True))


def test_another_epoch_or_seed_changes_the_images_and_the_same_does_not(
    train: DatasetManifest, nano: Florence2
) -> None:
    rows, others = rows_of(train, nano, CHANGES), rows_of(train, nano, CHANGES, seed=1)
    first = rows[Draw(0, 0)].image
    assert np.array_equal(first, rows[Draw(0, 0)].image)
    assert not np.array_equal(first, rows[Draw(1, 0)].image)
    assert not np.array_equal(first, others[Draw(0, 0)].image)
    assert not np.array_equal(first, rows_of(train, nano)[Draw(0, 0)].image)


def test_an_example_does_not_depend_on_its_batch(train: DatasetManifest, nano: Florence2) -> None:
    rows = rows_of(train, nano, CHANGES, "random")
    together = rows.__getitems__([Draw(2, row) for row in (5, 0, 3)])
    for example in together:
        alone = rows[Draw(2, example.row)]
        assert np.array_equal(example.image, alone.image)
        assert (example.question, example.answer) == (alone.question, alone.answer)


def test_augmented_images_do_not_enter_the_cache(train: DatasetManifest, nano: Florence2, cache: Path) -> None:
    batch_of(rows_of(train, nano, CHANGES), nano, Draw(0, 0), Draw(0, 1))
    assert not list(cache.rglob("*.npy"))


def test_the_order_of_boxes_is_random_in_training_and_fixed_in_validation(nano: Florence2, tmp_path: Path) -> None:
    """Losses of epochs can be compared only on the same answers."""
    valid = read_dataset(write_scenes(tmp_path)).select("valid")
    answer = "".join(f"tile<loc_{x}><loc_1><loc_{x + 9}><loc_9>" for x in range(0, 80, 10))
    valid = valid.replace_rows(valid.table.assign(suffix=answer, prefix="<OD>", task="<OD>").astype(valid.table.dtypes))
    training, fixed = rows_of(valid, nano, order="random"), rows_of(valid, nano, None, order="random")
    orders = [training[Draw(epoch, 0)].answer for epoch in range(3)]
    assert orders[0] != orders[1] != orders[2]
    assert len({tuple(sorted(order)) for order in orders}) == 1
    assert fixed[Draw(0, 0)].answer == fixed[Draw(1, 0)].answer == nano.tokenizer(answer)["input_ids"]


def test_random_answers_are_encoded_also_after_the_tokenizer_padded(train: DatasetManifest, nano: Florence2) -> None:
    """Answering, as in a validation, leaves the tokenizer padding."""
    rows = rows_of(train, nano, order="random")
    draws = [Draw(0, row) for row in range(8)]
    fresh = [example.answer for example in rows.__getitems__(draws)]
    nano.tokenizer(["a", "a b c"], padding=True)
    assert [example.answer for example in rows.__getitems__(draws)] == fresh
