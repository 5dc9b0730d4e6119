"""The pool of arrays: bounded, with complete files only, and without errors for its callers."""

from __future__ import annotations

import errno
import logging
import multiprocessing
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from florence2.storage.array_pool import ArrayPool

SHAPE, DTYPE = (3, 5), np.dtype(np.float32)
FILE_BYTES = 128 + 3 * 5 * 4


def array(value: float) -> NDArray[np.float32]:
    return (value + np.arange(15).reshape(SHAPE)).astype(np.float32)


def pool(folder: Path, arrays: int = 10) -> ArrayPool:
    return ArrayPool(folder, SHAPE, DTYPE, arrays * FILE_BYTES)


def filled(folder: Path, *names: str, arrays: int = 10) -> ArrayPool:
    made = pool(folder, arrays)
    made.admit(names)
    for name in names:
        made.put(name, array(ord(name[0])))
    return made


def files(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def test_a_kept_array_is_returned_read_only(tmp_path: Path) -> None:
    filled(tmp_path / "pool", "a", "b")
    found = pool(tmp_path / "pool").get("b")
    assert found is not None
    np.testing.assert_array_equal(found, array(ord("b")))
    assert found.dtype == DTYPE
    assert not found.flags.writeable
    assert pool(tmp_path / "pool").get("c") is None


def test_files_are_plain_npy_of_the_expected_size(tmp_path: Path) -> None:
    made = filled(tmp_path, "a")
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), array(ord("a")))
    assert (tmp_path / "a.npy").stat().st_size == made.array_bytes == FILE_BYTES


@settings(max_examples=15)
@given(shape=st.lists(st.integers(1, 4), min_size=1, max_size=4), dtype=st.sampled_from(["uint8", "float32"]))
def test_arrays_of_every_shape_are_returned(
    tmp_path_factory: pytest.TempPathFactory, shape: list[int], dtype: str
) -> None:
    values = np.random.default_rng(0).integers(0, 255, shape).astype(dtype)
    made = ArrayPool(tmp_path_factory.mktemp("pool"), tuple(shape), np.dtype(dtype), 10**6)
    made.admit(["a"])
    made.put("a", values.swapaxes(0, -1).copy().swapaxes(0, -1))  # not in C order
    found = made.get("a")
    assert found is not None
    np.testing.assert_array_equal(found, values)


def test_only_admitted_names_are_kept(tmp_path: Path) -> None:
    made = pool(tmp_path / "pool")
    made.put("a", array(1))
    assert made.get("a") is None
    assert not (tmp_path / "pool").exists()


def test_only_the_first_names_that_fit_are_admitted(tmp_path: Path) -> None:
    made = pool(tmp_path, arrays=2)
    assert made.admit(["a", "b", "a", "c"]) == 2
    for name in "abc":
        made.put(name, array(0))
    assert files(tmp_path) == {"a.npy", "b.npy"}


def test_nothing_is_admitted_below_the_size_of_one_array(tmp_path: Path) -> None:
    assert ArrayPool(tmp_path, SHAPE, DTYPE, FILE_BYTES - 1).admit(["a"]) == 0
    assert ArrayPool(tmp_path, SHAPE, DTYPE, 0).admit(["a"]) == 0


def test_the_least_recently_used_array_is_removed_first(tmp_path: Path) -> None:
    filled(tmp_path, "a", "b", "c", "d", arrays=4)
    for age, name in enumerate("dbca"):  # used: d long ago, a just now
        os.utime(tmp_path / f"{name}.npy", (age, age))
    made = pool(tmp_path, arrays=4)
    assert made.admit(["x", "y"]) == 2
    assert files(tmp_path) == {"a.npy", "c.npy"}
    made.put("x", array(0))
    made.put("y", array(0))
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 4 * FILE_BYTES


def test_to_be_admitted_counts_as_use(tmp_path: Path) -> None:
    filled(tmp_path, "a", "b")
    os.utime(tmp_path / "a.npy", (1, 1))
    os.utime(tmp_path / "b.npy", (2, 2))
    pool(tmp_path).admit(["a"])
    pool(tmp_path, arrays=2).admit(["c"])
    assert files(tmp_path) == {"a.npy"}


def test_arrays_of_others_stay_within_the_limit(tmp_path: Path) -> None:
    filled(tmp_path, "a", "b")
    filled(tmp_path, "c")
    assert files(tmp_path) == {"a.npy", "b.npy", "c.npy"}


@settings(max_examples=40)
@given(position=st.integers(0, FILE_BYTES), byte=st.integers(0, 255), cut=st.booleans())
def test_a_damaged_file_is_never_returned_as_an_array(
    tmp_path_factory: pytest.TempPathFactory, position: int, byte: int, cut: bool
) -> None:
    folder = tmp_path_factory.mktemp("pool")
    made = filled(folder, "a")
    whole = (folder / "a.npy").read_bytes()
    damaged = whole[:position] if cut else whole[:position] + bytes([byte]) + whole[position + 1 :]
    (folder / "a.npy").write_bytes(damaged)
    found = made.get("a")
    if damaged[:128] == whole[:128] and len(damaged) == len(whole):
        assert found is not None
    else:
        assert found is None
        made.put("a", array(ord("a")))
        assert (folder / "a.npy").read_bytes() == whole


def test_arrays_of_another_shape_are_neither_returned_nor_kept(tmp_path: Path) -> None:
    """An image must not get among features; the second file is as long as one of the pool."""
    made = pool(tmp_path)
    made.admit(["a", "b", "c", "d"])
    np.save(tmp_path / "a.npy", np.zeros((5, 3), DTYPE))
    np.save(tmp_path / "b.npy", np.zeros(SHAPE, np.int32))
    made.put("c", np.zeros((64, 64, 3), np.uint8))
    made.put("d", np.zeros(SHAPE, np.int32))
    assert [made.get(name) for name in "abcd"] == [None] * 4
    assert files(tmp_path) == {"a.npy", "b.npy"}


def test_a_folder_with_the_name_of_an_array_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "a.npy").mkdir()
    made = pool(tmp_path, arrays=1)
    assert made.admit(["b"]) == 1
    made.put("b", array(1))
    assert made.get("a") is None
    assert made.get("b") is not None


def test_a_full_disk_is_reported_once_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = filled(tmp_path, "a")
    made.admit(["a", "b", "c"])

    class Full:
        def __init__(self, path: Path, mode: str) -> None:
            self._file = open(path, mode)  # noqa: SIM115, PTH123 - closed below

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            self._file.close()

        def write(self, data: Any) -> None:
            self._file.write(bytes(data)[:7])
            raise OSError(errno.ENOSPC, "No space left on device")

    with caplog.at_level(logging.WARNING), monkeypatch.context() as patch:
        patch.setattr(Path, "open", lambda path, mode: Full(path, mode))
        made.put("b", array(1))
        made.put("c", array(1))
    assert [record.message for record in caplog.records] == [
        f"{tmp_path}: no more arrays are kept there (No space left on device)"
    ]
    assert files(tmp_path) == {"a.npy"}
    assert made.get("a") is not None


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    made = pool(tmp_path / "file" / "pool")
    with pytest.raises(NotADirectoryError):
        os.listdir(tmp_path / "file" / "pool")  # noqa: PTH208
    assert made.admit(["a"]) == 1
    made.put("a", array(1))
    assert made.get("a") is None
    assert "no more arrays are kept there" in caplog.text


def test_files_of_killed_processes_are_removed_and_those_of_others_stay(tmp_path: Path) -> None:
    for name in (".unfinished-old", ".unfinished-new"):
        (tmp_path / name).write_bytes(b"half")
    os.utime(tmp_path / ".unfinished-old", (1, 1))
    pool(tmp_path, arrays=1).admit(["a"])
    assert files(tmp_path) == {".unfinished-new"}


def _put_often(folder: Path) -> None:
    made = pool(folder)
    made.admit(["a"])
    for _ in range(50):
        made.put("a", array(ord("a")))
        found = made.get("a")
        assert found is not None
        np.testing.assert_array_equal(found, array(ord("a")))


def test_two_processes_may_put_the_same_name(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_put_often, args=(tmp_path,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert files(tmp_path) == {"a.npy"}
