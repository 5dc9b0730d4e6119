"""Files and folders that appear complete or not at all, and what the user reads where they cannot be written."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from florence2.errors import ConfigurationError, DatasetError
from florence2.storage.atomic import atomic_folder, atomic_path, remove_unfinished, write_atomic, write_file, writing

needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is Linux's")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("before")
    with atomic_path(tmp_path / "a") as partial:
        partial.write_text("after")
        assert (tmp_path / "a").read_text() == "before"
    assert (tmp_path / "a").read_text() == "after"
    assert names(tmp_path) == ["a"]


def test_a_folder_appears_at_the_end_and_may_have_been_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with atomic_path(tmp_path / "a") as partial:
        partial.mkdir()
        (partial / "b").write_text("b")
        assert names(tmp_path / "a") == []
    assert (names(tmp_path), names(tmp_path / "a")) == (["a"], ["b"])


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
@pytest.mark.parametrize("is_folder", [False, True])
def test_an_error_leaves_what_was_there_and_nothing_else(
    tmp_path: Path, error: type[BaseException], is_folder: bool
) -> None:
    (tmp_path / "a").write_text("before")
    with pytest.raises(error), atomic_path(tmp_path / "a") as partial:
        if is_folder:
            partial.mkdir()
        (partial / "b" if is_folder else partial).write_text("half")
        raise error
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "before"


def test_a_folder_that_is_not_empty_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_text("before")
    with pytest.raises(OSError, match="not empty"), atomic_path(tmp_path / "a") as partial:
        partial.mkdir()
    assert (names(tmp_path), names(tmp_path / "a")) == (["a"], ["b"])


def test_the_scratch_folder_may_be_another_one(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    with atomic_path(tmp_path / "far" / "a", scratch=tmp_path) as partial:
        partial.write_text("a")
        assert (partial.parent, names(tmp_path / "far")) == (tmp_path, [])
    assert (names(tmp_path), names(tmp_path / "far")) == (["far"], ["a"])


def test_two_writers_do_not_disturb_each_other(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a") as one, atomic_path(tmp_path / "a") as other:
        one.write_text("one")
        other.write_text("other")
    assert (tmp_path / "a").read_text() == "one", "the last to end"
    assert names(tmp_path) == ["a"]


def test_a_sole_writer_removes_what_a_killed_process_left(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a", sole_writer=True) as partial:
        partial.mkdir()
    (tmp_path / "a").rmdir()
    partial.mkdir()
    (partial / "half").write_text("half")
    with atomic_path(tmp_path / "a", sole_writer=True) as again:
        assert (again, names(tmp_path)) == (partial, [])
        again.mkdir()
    assert names(tmp_path / "a") == []


def test_what_other_killed_processes_left_is_removed_after_a_day(tmp_path: Path) -> None:
    for folder in (tmp_path / ".unfinished-old", tmp_path / ".unfinished-new", tmp_path / "finished"):
        folder.mkdir()
        (folder / "half").write_text("half")
    (tmp_path / ".unfinished-file").write_text("half")
    for old in (".unfinished-old", ".unfinished-file", "finished"):
        os.utime(tmp_path / old, (1, 1))
    remove_unfinished(tmp_path)
    assert names(tmp_path) == [".unfinished-new", "finished"]
    remove_unfinished(tmp_path / "nothing")


def fill_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each unfinished file meet a full disk when half of it is written."""

    def filling(write: Callable[..., int]) -> Callable[..., int]:
        def fill(file: Path, content: str | bytes, **options: str) -> int:
            if any(part.startswith(".unfinished-") for part in file.parts):
                write(file, content[: len(content) // 2])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
            return write(file, content, **options)

        return fill

    for name in ("write_text", "write_bytes"):
        monkeypatch.setattr(Path, name, filling(getattr(Path, name)))


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_file(tmp_path / "a.txt", "before")
    fill_disk(monkeypatch)
    with pytest.raises(ConfigurationError, match=r"a\.txt: cannot be written \(No space left on device\); free space"):
        write_file(tmp_path / "a.txt", "after" * 10)
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "before"


def test_a_full_disk_leaves_no_folder_and_names_the_file_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_disk(monkeypatch)
    with (
        pytest.raises(DatasetError, match=r"new: cannot be written \(No space left on device: b\.txt\); clean up"),
        atomic_folder(tmp_path / "deep" / "new", "clean up", DatasetError) as folder,
    ):
        (folder / "b.txt").write_text("text")
    assert names(tmp_path) == []


@needs_full
def test_a_device_is_written_to_directly(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        write_atomic(Path("/dev/full"), "text")
    write_atomic(Path("/dev/null"), "text")


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "target")
    write_atomic(link, "text")
    assert (link.is_symlink(), (tmp_path / "target").read_text()) == (True, "text")


def test_a_new_folder_appears_at_the_end_with_its_parents(tmp_path: Path) -> None:
    with atomic_folder(tmp_path / "deep" / "new") as folder:
        (folder / "a").write_text("a")
        assert not (tmp_path / "deep").exists()
    assert names(tmp_path / "deep" / "new") == ["a"]
    assert names(tmp_path) == ["deep"]


def test_a_taken_path_is_no_new_folder(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "file").touch()
    (tmp_path / "used" / "inner").mkdir(parents=True)
    (tmp_path / "to_an_empty_one").symlink_to("used/inner")
    for taken in ("link", "file", "used", "to_an_empty_one"):
        with pytest.raises(ConfigurationError, match="nothing is overwritten"), atomic_folder(tmp_path / taken):
            raise AssertionError
    with (
        pytest.raises(ConfigurationError, match=r"Not a directory.*; give another"),
        atomic_folder(tmp_path / "file/a"),
    ):
        raise AssertionError


def test_an_interrupt_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), atomic_folder(tmp_path / "new") as folder:
        (folder / "half").write_bytes(b"")
        raise KeyboardInterrupt
    assert names(tmp_path) == []


def test_an_error_names_path_reason_other_file_and_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    below = tmp_path / "file" / "a"
    with pytest.raises(ConfigurationError) as caught, writing(below, "give another"):
        below.mkdir()
    assert str(caught.value) == f"{below}: cannot be written (Not a directory); give another"
    with pytest.raises(DatasetError) as caught_other, writing(tmp_path, "give another", DatasetError):
        below.mkdir()
    assert str(caught_other.value) == f"{tmp_path}: cannot be written (Not a directory: {below}); give another"
