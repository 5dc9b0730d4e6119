"""A training whose machine is lost continues on another from its last upload, to the same result."""

from __future__ import annotations

import json
import logging
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import fsspec  # type: ignore[import-untyped]
import pytest

from florence2.datasets.formats import read_dataset
from florence2.datasets.manifest import DatasetManifest
from florence2.training.fitting import fit
from florence2.training.monitoring import Monitoring
from florence2.training.run_state import RunStorage
from florence2.training.uploaded_run import UploadedRun
from tests.builders import write_scenes
from tests.integration.test_survival import BASE, RECIPES, KilledError, assert_same, at_step, kill, saving

FILES = partial(fsspec.filesystem, "file")


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scenes(tmp_path_factory.mktemp("scenes"), train=5, valid=2, test=2)


@pytest.fixture(scope="module")
def splits(scenes: Path) -> DatasetManifest:
    return read_dataset(scenes)


def uploads(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "index.json").read_text())
    return found


def test_a_lost_machine_costs_what_was_not_uploaded(splits: DatasetManifest, scenes: Path, tmp_path: Path) -> None:
    """Killed without a chance to say a word, then gone on with in this process from an empty folder."""
    training = saving(RECIPES["lora"])
    whole = fit(splits, BASE, training, tmp_path / "whole")
    script = f"""
import functools, fsspec, os, pathlib, signal
from florence2.config import TrainingConfig
from florence2.datasets.formats import read_dataset
from florence2.training.fitting import fit
from florence2.training.monitoring import Monitoring
from florence2.training.run_state import RunStorage
from florence2.training.uploaded_run import UploadedRun
from tests.integration.test_survival import BASE, at_step
fit(
    read_dataset(pathlib.Path({str(scenes)!r})), BASE,
    TrainingConfig.model_validate_json({training.model_dump_json()!r}),
    pathlib.Path({str(tmp_path / "lost")!r}),
    monitoring=Monitoring(sink=at_step(4, lambda: os.kill(os.getpid(), signal.SIGKILL))),
    storage=RunStorage(
        pathlib.Path({str(tmp_path / "lost.run")!r}),
        uploaded=UploadedRun({str(tmp_path / "store/run")!r}, functools.partial(fsspec.filesystem, "file"), 0.0),
    ),
)
"""
    lost = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert lost.returncode == -signal.SIGKILL, lost.stderr
    shutil.rmtree(tmp_path / "lost.run")
    steps: list[int] = []
    uploaded = UploadedRun(str(tmp_path / "store/run"), FILES, 0.0)
    again = fit(
        splits,
        BASE,
        training,
        tmp_path / "again",
        storage=RunStorage(tmp_path / "again.run", uploaded=uploaded),
        monitoring=Monitoring(sink=lambda _, now: steps.append(now)),
    )
    assert min(steps) >= 3
    assert_same(again, whole)
    assert uploads(tmp_path / "store/run")["finished"]["best_step"]


def test_uploads_are_whole_few_and_those_that_are_needed(splits: DatasetManifest, tmp_path: Path) -> None:
    training, store = saving(RECIPES["lora"]), tmp_path / "run"
    with pytest.raises(KilledError):
        fit(
            splits,
            BASE,
            training,
            tmp_path / "c",
            monitoring=Monitoring(sink=at_step(5, kill)),
            storage=RunStorage(tmp_path / "c.run", uploaded=UploadedRun(str(store), FILES, 0.0)),
        )
    saves = uploads(store)["saves"]
    assert {path.name for path in store.iterdir()} == {*saves, "index.json"}
    assert sorted(saves) == ["checkpoint-3", "checkpoint-4"], "the best one and the last"
    for name, files in saves.items():
        assert files == {file.name: file.stat().st_size for file in (store / name).iterdir()}


def test_uploads_keep_their_distance_in_time(splits: DatasetManifest, tmp_path: Path) -> None:
    with pytest.raises(KilledError):
        fit(
            splits,
            BASE,
            saving(RECIPES["lora"]),
            tmp_path / "c",
            monitoring=Monitoring(sink=at_step(5, kill)),
            storage=RunStorage(tmp_path / "c.run", uploaded=UploadedRun(str(tmp_path / "run"), FILES, 60.0)),
        )
    assert list(uploads(tmp_path / "run")["saves"]) == ["checkpoint-1"]


def test_what_was_not_stored_after_the_training_is_not_trained_again(
    splits: DatasetManifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploaded = UploadedRun(str(tmp_path / "run"), FILES, 60.0)
    first = fit(
        splits, BASE, RECIPES["full"], tmp_path / "c", storage=RunStorage(tmp_path / "c.run", uploaded=uploaded)
    )
    assert not list((tmp_path / "run").rglob("*.pt")), "only the weights are kept"
    monkeypatch.setattr("florence2.training.fitting.launch", lambda *_: pytest.fail("it trained again"))
    assert_same(
        fit(splits, BASE, RECIPES["full"], tmp_path / "d", storage=RunStorage(tmp_path / "d.run", uploaded=uploaded)),
        first,
    )


def test_a_store_that_fails_stops_no_training(
    splits: DatasetManifest, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        protocol = "s3"

        def cat_file(self, path: str) -> bytes:
            raise PermissionError("s3://key:secret@host?token=secret: expired")

    with caplog.at_level(logging.WARNING):
        checkpoint = fit(
            splits,
            BASE,
            RECIPES["lora"],
            tmp_path / "c",
            storage=RunStorage(tmp_path / "c.run", uploaded=UploadedRun("s3://b/run", Broken, 0.0)),
        )
    assert checkpoint.folder.is_dir()
    assert "could not be uploaded to s3://b/run" in caplog.text
    assert "secret" not in caplog.text
