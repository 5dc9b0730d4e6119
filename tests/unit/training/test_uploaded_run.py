"""Uploads of a run: a damaged index, a store that fails, old uploads."""

from __future__ import annotations

import json
import logging
import pickle
import time
from functools import partial
from pathlib import Path
from typing import Any

import fsspec  # type: ignore[import-untyped]
import pytest
from fsspec.implementations.memory import MemoryFileSystem  # type: ignore[import-untyped]

from florence2.training.uploaded_run import UploadedRun, forget_old_uploads

FILES = partial(fsspec.filesystem, "file")


def uploads(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "index.json").read_text())
    return found


def test_other_processes_of_a_training_can_upload() -> None:
    uploaded = pickle.loads(pickle.dumps(UploadedRun("memory://run", partial(fsspec.filesystem, "memory"), 5.0)))
    uploaded.push([], now=True)
    assert fsspec.filesystem("memory").exists("memory://run/index.json")


@pytest.mark.parametrize("saves", [{"..": {}}, {"": {}}, {"checkpoint-1": {"../../a": 1}}, {"checkpoint-1/..": {}}])
def test_an_index_that_leads_out_of_the_run_is_not_followed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, saves: dict[str, dict[str, int]]
) -> None:
    (tmp_path / "runs/1").mkdir(parents=True)
    (tmp_path / "store").mkdir()
    index = {"format": "florence2-run/1", "saves": saves, "written": 0, "finished": None}
    (tmp_path / "store/index.json").write_text(json.dumps(index))
    with caplog.at_level(logging.WARNING):
        UploadedRun(str(tmp_path / "store"), FILES, 0.0).pull(tmp_path / "runs/1")
    assert "the run starts from the beginning" in caplog.text
    assert {path.name for path in tmp_path.rglob("*")} == {"runs", "store", "1", "index.json"}


def test_old_uploads_are_forgotten_and_newer_ones_are_not() -> None:
    memory = fsspec.filesystem("memory")
    for name, days, finished in (("old", 31, None), ("new", 29, None), ("ended", 2, {}), ("done", 2, {"a": 1})):
        index = {"format": "florence2-run/1", "saves": {}, "written": time.time() - days * 86400, "finished": finished}
        memory.pipe_file(f"/bucket/runs/{name}/index.json", json.dumps(index).encode())
    memory.pipe_file("/bucket/runs/damaged/index.json", b'{"format": "flo')
    forget_old_uploads("memory://bucket/runs", memory)
    forget_old_uploads("memory://bucket/nothing", memory)
    assert sorted(path.rpartition("/")[2] for path in memory.ls("/bucket/runs", detail=False)) == ["ended", "new"]


def test_one_upload_that_cannot_be_removed_keeps_no_other(caplog: pytest.LogCaptureFixture) -> None:
    class Guarded(MemoryFileSystem):  # type: ignore[misc]
        def rm(self, path: str, **options: Any) -> None:
            if "guarded" in path:
                raise PermissionError("not yours: s3://key:secret@host")
            super().rm(path, **options)

    files = Guarded(skip_instance_cache=True)
    for name in ("a-guarded", "b-old"):
        files.pipe_file(f"/others/runs/{name}/index.json", b"[]")
    with caplog.at_level(logging.WARNING):
        forget_old_uploads("memory://others/runs", files)
    assert [path.rpartition("/")[2] for path in files.ls("/others/runs", detail=False)] == ["a-guarded"]
    assert "a-guarded could not be removed: not yours" in caplog.text
    assert "secret" not in caplog.text


def test_a_damaged_index_is_replaced_with_all_that_lies_there(tmp_path: Path) -> None:
    store, save = tmp_path / "store", tmp_path / "run" / "checkpoint-2"
    save.mkdir(parents=True)
    (save / "model.safetensors").write_bytes(b"weights")
    (store / "checkpoint-1").mkdir(parents=True)
    (store / "index.json").write_text("{")
    UploadedRun(str(store), FILES, 0.0).push([save], now=True)
    assert uploads(store)["saves"] == {"checkpoint-2": {"model.safetensors": 7}}
    assert sorted(path.name for path in store.iterdir()) == ["checkpoint-2", "index.json"]


def test_a_store_that_refuses_to_be_read_has_nothing_removed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Refusing(MemoryFileSystem):  # type: ignore[misc]
        def cat_file(self, path: str, **options: Any) -> bytes:
            raise ValueError("Bad Request: invalid project")  # as gcsfs says it

    files = Refusing(skip_instance_cache=True)
    files.pipe_file("/refused/runs/a/index.json", b"{}")
    files.pipe_file("/refused/runs/a/checkpoint-1/model.safetensors", b"weights")
    save = tmp_path / "checkpoint-2"
    save.mkdir()
    (save / "model.safetensors").write_bytes(b"weights")
    with caplog.at_level(logging.WARNING):
        UploadedRun("memory://refused/runs/a", lambda: files, 0.0).push([save], now=True)
        forget_old_uploads("memory://refused/runs", files)
    assert caplog.text.count("Bad Request") == 2
    assert files.exists("/refused/runs/a/checkpoint-1/model.safetensors")
