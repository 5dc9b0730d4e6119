"""The folder of a run: locked for one process, refused to another run, removed when it is old."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from florence2.errors import TrainingError
from florence2.training.run_state import RunState, forget_old_runs, is_full


def test_two_processes_cannot_train_in_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("florence2.training.run_state._LOCK_SECONDS", 0.3)
    with (
        RunState(tmp_path / "run", {"a": "1"}),
        pytest.raises(TrainingError, match="another process trains in this folder; wait for it or stop it"),
        RunState(tmp_path / "run", {"a": "1"}),
    ):
        pass
    with RunState(tmp_path / "run", {"a": "1"}):  # it is free again
        pass


def test_old_runs_are_forgotten_and_newer_ones_are_not(tmp_path: Path) -> None:
    for name, days in (("old", 31), ("new", 29), ("ended", 2), ("just ended", 0)):
        with RunState(tmp_path / name, {"a": "1"}) as state:
            if "ended" in name:
                state.save_of(1).mkdir()
                state.finish(1)
        for file in (tmp_path / name).iterdir():
            os.utime(file, (time.time() - days * 24 * 3600,) * 2)
    forget_old_runs(tmp_path)
    assert sorted(run.name for run in tmp_path.iterdir()) == ["just ended", "new"]


def test_a_run_with_another_identity_is_refused_by_name_and_value(tmp_path: Path) -> None:
    with RunState(tmp_path, {"epochs": 2, "data": "a"}):
        pass
    with (
        pytest.raises(TrainingError, match=r"another run.*\n  base: None before, b now\n  epochs: 2 before, 5 now$"),
        RunState(tmp_path, {"epochs": 5, "data": "a", "base": "b"}),
    ):
        pass


def test_an_incomplete_save_is_removed_and_the_one_before_is_the_latest(tmp_path: Path) -> None:
    with RunState(tmp_path, {}) as state:
        for step in (1, 2):
            state.save_of(step).mkdir()
            (state.save_of(step) / "weights.safetensors").write_bytes(b"weights")
            state.complete(state.save_of(step), needed=[1])
        (state.save_of(2) / "weights.safetensors").write_bytes(b"wei")
    with RunState(tmp_path, {}) as state:
        assert state.latest == state.save_of(1)
        assert state.is_saved(1)
        assert not state.save_of(2).exists()


def test_the_end_keeps_only_the_weights_of_the_best_step(tmp_path: Path) -> None:
    with RunState(tmp_path, {}) as state:
        for step in (1, 2):
            save = state.save_of(step)
            save.mkdir()
            for name in ("model.safetensors", "optimizer.pt"):
                (save / name).write_bytes(b"x")
            state.complete(save, needed=[1])
        state.finish(1, history=[])
        assert state.finished == {"best_step": 1, "last_step": None, "history": []}
        assert not state.save_of(2).exists()
        assert state.is_saved(1)
        assert not (state.save_of(1) / "optimizer.pt").exists()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (RuntimeError("[enforce fail at inline_container.cc] . unexpected pos 64 vs 0"), True),
        (OSError(errno.EACCES, "Permission denied"), False),
    ],
)
def test_a_full_disk_is_found_also_behind_another_error(error: Exception, expected: bool) -> None:
    try:
        raise ValueError("cannot save") from error
    except ValueError as wrapped:
        assert is_full(wrapped) is expected
