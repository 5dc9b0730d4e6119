"""Files from unknown sources: only regular files are opened, and paths outside of a folder are recognised."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from florence2.storage.safe_files import is_file_inside, is_inside, open_regular, read_regular


def test_links_are_followed_to_decide_what_is_inside(tmp_path: Path) -> None:
    top = tmp_path / "set"
    (top / "deep").mkdir(parents=True)
    (tmp_path / "set2").mkdir()
    (top / "deep/a").touch()
    (tmp_path / "set2/a").touch()
    (top / "in").symlink_to("deep/a")
    (top / "out").symlink_to("../set2/a")
    (top / "ring").symlink_to("ring")
    real = os.path.realpath(top)
    inside = {".": True, "deep/a": True, "in": True, "none": True, "ring": True, "out": False, "../set2": False}
    assert {path: is_inside(top / path, real) for path in inside} == inside
    assert is_inside("/etc", "/")
    files = {path: path in ("deep/a", "in") for path in inside}
    assert {path: is_file_inside(top / path, real) for path in files} == files


def test_a_file_is_read_up_to_the_limit(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("a")
    assert read_regular(tmp_path / "a", 3) == read_regular(str(tmp_path / "link"), 4) == b"abc"
    with open_regular(tmp_path / "link") as handle:
        assert handle.read() == b"abc"
    with pytest.raises(OSError, match="3 bytes, at most 2 are read") as caught:
        read_regular(tmp_path / "a", 2)
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(tmp_path / "a"))


def test_a_file_that_grows_while_it_is_read_is_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    read = os.read

    def read_and_write(descriptor: int, length: int) -> bytes:
        part = read(descriptor, length)
        if path.stat().st_size < 9:
            with path.open("ab") as handle:
                handle.write(b"def")
        return part

    monkeypatch.setattr(os, "read", read_and_write)
    assert read_regular(path, 9) == b"abcdefdef"
    path.write_bytes(b"abc")
    with pytest.raises(OSError, match="at most 5 are read"):
        read_regular(path, 5)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def _first_free_descriptor() -> int:
    descriptor = os.open(os.devnull, os.O_RDONLY)
    os.close(descriptor)
    return descriptor


@pytest.mark.parametrize("opened", [open_regular, lambda path: read_regular(path, 9)], ids=["open", "read"])
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (Path.mkdir, "is a folder"),
        (os.mkfifo, "is not a regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "is not a regular file"),
        (_socket, "No such device or address"),
        (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
        (lambda _: None, "No such file or directory"),
    ],
    ids=["folder", "pipe", "device", "socket", "ring", "nothing"],
)
def test_nothing_but_a_regular_file_is_opened(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Path], object],
    message: str,
    opened: Callable[[Path], object],
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("a")  # a socket's whole path must be short
    make(path)
    free = _first_free_descriptor()
    with pytest.raises(OSError, match=message) as caught:
        opened(path)
    assert str(caught.value.filename) == "a"
    assert _first_free_descriptor() == free
