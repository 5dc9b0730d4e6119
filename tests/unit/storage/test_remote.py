"""Snapshots of remote folders: only changed files are fetched, atomically, and none is written outside of the target.

The S3 protocol is spoken with a real server (moto's), the web with Python's own.
"""

from __future__ import annotations

import errno
import functools
import http.server
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import fsspec  # type: ignore[import-untyped]
import pytest
from fsspec.implementations.memory import MemoryFileSystem  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from florence2.errors import DatasetError
from florence2.storage.remote import fetch, redact
from florence2.storage.snapshots import Snapshots

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "hush-hush", "AWS_DEFAULT_REGION": "us-east-1"}


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def memory() -> Iterator[Any]:
    files = fsspec.filesystem("memory")
    files.store.clear()
    files.pseudo_dirs[:] = [""]
    yield files
    files.store.clear()


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what is fetched from memory."""
    names: list[str] = []
    original = MemoryFileSystem.get_file

    def get_file(self: Any, path: str, target: str, **options: Any) -> None:
        names.append(path.rsplit("/", 1)[1])
        original(self, path, target, **options)

    monkeypatch.setattr(MemoryFileSystem, "get_file", get_file)
    return names


def test_only_changed_files_are_fetched(tmp_path: Path, memory: Any, fetched: list[str]) -> None:
    memory.pipe({"/set/train/a": b"1", "/set/train/b": b"2", "/set/c": b"3", "/other": b"4"})
    folder = fetch("memory://set", tmp_path)
    assert content_of(folder) == {"train/a": b"1", "train/b": b"2", "c": b"3"}
    assert sorted(fetched) == ["a", "b", "c"]
    fetched.clear()
    assert fetch("memory://set/", tmp_path) == folder
    assert fetched == []
    memory.pipe({"/set/train/a": b"9", "/set/new/d": b"5"})
    memory.rm("/set/train/b")
    (folder / "c").write_bytes(b"tampered")
    assert content_of(fetch("memory://set", tmp_path)) == {"train/a": b"9", "c": b"3", "new/d": b"5"}
    assert sorted(fetched) == ["a", "c", "d"]
    fetched.clear()
    fetch("memory://set", tmp_path, verify=True)
    assert sorted(fetched) == ["a", "c", "d"]


@pytest.fixture(params=["links", "copies"])
def disk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A disk with hard links, and one without."""
    if request.param == "copies":

        def refuse(*_: Any) -> None:
            raise OSError(errno.EPERM, "no hard links")

        monkeypatch.setattr(Path, "hardlink_to", refuse)
    return str(request.param)


def test_a_fetched_folder_does_not_change_with_the_source(
    tmp_path: Path, memory: Any, fetched: list[str], disk: str
) -> None:
    memory.pipe({"/set/changed": b"1", "/set/removed": b"2", "/set/in/same": b"3"})
    first = fetch("memory://set", tmp_path)
    before = content_of(first)
    memory.pipe({"/set/changed": b"9", "/set/added": b"4"})
    memory.rm("/set/removed")
    fetched.clear()
    second = fetch("memory://set", tmp_path)
    assert content_of(second) == {"changed": b"9", "in/same": b"3", "added": b"4"}
    assert sorted(fetched) == ["added", "changed"]
    assert content_of(first) == before
    assert (first / "in/same").samefile(second / "in/same") == (disk == "links")


def test_equal_content_has_the_same_folder_for_every_version(tmp_path: Path, memory: Any) -> None:
    memory.pipe({"/set/a": b"1", "/set/b": b"2"})
    first = fetch("memory://set", tmp_path)
    memory.pipe("/set/a", b"1")
    assert fetch("memory://set", tmp_path) == first
    memory.pipe("/set/a", b"9")
    assert fetch("memory://set", tmp_path) != first
    memory.pipe("/set/a", b"1")
    assert fetch("memory://set", tmp_path) == first
    assert fetch("memory://set", tmp_path, verify=True) == first


def test_a_source_without_versions_is_fetched_each_time_into_the_same_folder(
    tmp_path: Path, memory: Any, fetched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe({"/set/a": b"1", "/set/b": b"1"})
    listing = {f"/set/{name}": {"name": f"/set/{name}", "size": 1, "type": "file"} for name in "ab"}
    monkeypatch.setattr(MemoryFileSystem, "find", lambda *_, **__: listing)
    first = fetch("memory://set", tmp_path)
    inode = (first / "a").stat().st_ino
    assert fetch("memory://set", tmp_path) == first
    assert sorted(fetched) == ["a", "a", "b", "b"]
    assert (first / "a").stat().st_ino == inode


def test_an_edited_snapshot_is_restored(tmp_path: Path, memory: Any, fetched: list[str], disk: str) -> None:
    memory.pipe({f"/set/{name}": name.encode() for name in ("a", "b", "in/c", "d")})
    folder = fetch("memory://set", tmp_path)
    before = content_of(folder)
    (folder / "a").write_bytes(b"edited")
    (folder / "in/c").unlink()
    (folder / "d").unlink()
    (folder / "d").symlink_to(folder / "b")
    (folder / "added" / "x").mkdir(parents=True)
    (folder / "added" / "y").write_bytes(b"added")
    fetched.clear()
    assert fetch("memory://set", tmp_path) == folder
    assert content_of(folder) == before
    assert not (folder / "d").is_symlink()
    assert not (folder / "added").exists()
    assert fetched == (["a"] if disk == "links" else [])


def test_snapshots_that_were_not_used_for_a_month_are_removed_with_their_contents(
    tmp_path: Path, memory: Any, fetched: list[str]
) -> None:
    folders = []
    for content in (b"oldest", b"old", b"new"):
        memory.pipe({"/set/a": content, "/set/b": b"same"})
        folders.append(fetch("memory://set", tmp_path))
        for file in tmp_path.glob("contents/*/*"):
            os.utime(file, (1, 1))
    os.utime(folders[0], (1, 1))
    assert fetch("memory://set", tmp_path) == folders[2]
    assert [folder.exists() for folder in folders] == [False, True, True]
    kept = {file.read_bytes() for file in tmp_path.glob("contents/*/*")}
    assert kept == {b"old", b"new", b"same"}


def test_files_of_an_interrupted_call_are_kept_for_a_day(
    tmp_path: Path, memory: Any, monkeypatch: pytest.MonkeyPatch, fetched: list[str]
) -> None:
    memory.pipe({"/set/a": b"1", "/set/b": b"2"})
    with monkeypatch.context() as patch:
        patch.setattr(Snapshots, "snapshot", interrupt)
        with pytest.raises(KeyboardInterrupt):
            fetch("memory://set", tmp_path)
    memory.rm("/set/b")
    fetch("memory://set", tmp_path)
    assert {file.read_bytes() for file in tmp_path.glob("contents/*/*")} == {b"1", b"2"}
    assert sorted(fetched) == ["a", "b"]


def interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def test_a_file_may_become_a_folder_and_back(tmp_path: Path, memory: Any) -> None:
    memory.pipe({"/set/a": b"1", "/set/x": b""})
    fetch("memory://set", tmp_path)
    memory.rm("/set/a")
    memory.pipe({"/set/a/b": b"2"})
    assert content_of(fetch("memory://set", tmp_path)) == {"a/b": b"2", "x": b""}
    memory.rm("/set/a", recursive=True)
    memory.pipe({"/set/a": b"3"})
    assert content_of(fetch("memory://set", tmp_path)) == {"a": b"3", "x": b""}


def test_an_interrupted_call_is_continued(
    tmp_path: Path, memory: Any, monkeypatch: pytest.MonkeyPatch, fetched: list[str]
) -> None:
    memory.pipe({f"/set/{number:02}": bytes([number]) * 1000 for number in range(30)})
    original = MemoryFileSystem.get_file
    calls: list[str] = []

    def break_off(self: Any, path: str, target: str, **options: Any) -> None:
        calls.append(path)
        if len(calls) > 12:
            Path(target).write_bytes(b"half")
            raise ConnectionError("reset by peer")
        original(self, path, target, **options)

    monkeypatch.setattr(MemoryFileSystem, "get_file", break_off)
    with pytest.raises(DatasetError, match=r"memory://set: cannot be read \(ConnectionError: reset by peer\); check"):
        fetch("memory://set", tmp_path)
    kept = content_of(tmp_path / "contents")
    assert kept
    assert all(len(content) == 1000 for content in kept.values())
    assert not list(tmp_path.glob(".unfinished-*"))
    assert not (tmp_path / "snapshots").exists()
    monkeypatch.setattr(MemoryFileSystem, "get_file", original)
    fetched.clear()
    assert len(content_of(fetch("memory://set", tmp_path))) == 30
    assert len(fetched) == 30 - len(kept)


def test_an_incomplete_file_is_not_kept(tmp_path: Path, memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    memory.pipe("/set/a", b"12345")
    monkeypatch.setattr(MemoryFileSystem, "get_file", lambda self, path, target: Path(target).write_bytes(b"123"))
    with pytest.raises(DatasetError, match="'a' changed or was cut off while it was read; run again"):
        fetch("memory://set", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"index.sqlite"}


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/x", "a\nb", "a\\b", "C:x"])
def test_names_that_lead_elsewhere_are_refused(
    tmp_path: Path, memory: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    info = {"name": f"/set/{name}", "size": 1, "type": "file"}
    monkeypatch.setattr(MemoryFileSystem, "find", lambda *_, **__: {f"/set/{name}": info})
    memory.pipe("/set/a", b"1")
    with pytest.raises(DatasetError, match=r"memory://set: .*; rename or remove it there"):
        fetch("memory://set", tmp_path / "in" / "mirror")
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text("ab./", min_size=1, max_size=5), min_size=1, max_size=4, unique=True))
def test_no_listed_name_leaves_the_target(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    outer = tmp_path_factory.mktemp("mirror")
    with pytest.MonkeyPatch.context() as patch:
        listing = {f"/set/{name}": {"name": name, "size": 1, "type": "file"} for name in names}
        patch.setattr(MemoryFileSystem, "find", lambda *_, **__: listing)
        patch.setattr(MemoryFileSystem, "get_file", lambda self, path, target: Path(target).write_bytes(b"1"))
        try:
            folder = fetch("memory://set", outer / "in")
        except DatasetError:
            assert not (outer / "in").exists()
        else:
            assert folder.is_relative_to(outer / "in" / "snapshots")
            assert len(content_of(folder)) == len([name for name in names if not name.endswith("/")])
    assert [path.name for path in outer.iterdir()] in ([], ["in"])


@pytest.mark.parametrize("names", [["a", "a/b"], ["a/b", "a//b"], ["a", "a/b/c"]])
def test_names_that_clash_are_refused(
    tmp_path: Path, memory: Any, monkeypatch: pytest.MonkeyPatch, names: list[str]
) -> None:
    listing = {f"/set/{name}": {"name": name, "size": 1, "type": "file"} for name in names}
    monkeypatch.setattr(MemoryFileSystem, "find", lambda *_, **__: listing)
    with pytest.raises(DatasetError, match="is there twice, or as a file and as a folder"):
        fetch("memory://set", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_cannot_be_read_is_an_error_with_a_remedy(
    tmp_path: Path, memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe("/set/a.txt", b"1")
    expected = {
        "memory://nothing": "nothing is there; check the spelling",
        "memory://nothing.zip": "nothing is there; check the spelling",
        "memory://set/a.txt": "is a single file; give a folder, or a .zip",
        "nonsense://set": "cannot be read",
        "https://localhost:1/set": "a web server does not list folders; give the URL of a .zip",
        "http://u:hush@localhost:1/a.zip?sign=hush": "no connection; check the host, the port",
    }
    for uri, message in expected.items():
        with pytest.raises(DatasetError, match=message) as raised:
            fetch(uri, tmp_path)
        assert "hush" not in str(raised.value)
        assert raised.value.__suppress_context__ or raised.value.__context__ is None


@pytest.mark.parametrize(("protocol", "extra"), [("s3", "s3"), ("gs", "gs")])
def test_a_missing_package_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: str, extra: str
) -> None:
    def missing(*_: Any, **__: Any) -> None:
        raise ImportError("Install it")

    monkeypatch.setattr("fsspec.core.url_to_fs", missing)
    with pytest.raises(DatasetError, match=rf"pip install 'florence2-finetune\[{extra}\]'"):
        fetch(f"{protocol}://bucket/set", tmp_path)


def test_secrets_are_redacted() -> None:
    assert redact("s3://bucket/a b") == "s3://bucket/a b"
    assert redact("https://me:pass@word@host/a.zip?X-Amz-Signature=1&b=2") == "https://***@host/a.zip?***"
    assert redact("403, url='https://host/a?sig=1' and /b?sig=2") == "403, url='https://host/a?***' and /b?***"


# --- a server that speaks S3 -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def s3_address() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": s3_address}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    files = fsspec.filesystem("s3", skip_instance_cache=True)
    files.mkdir("bucket")
    yield files
    files.rm("bucket", recursive=True)


def put(s3: Any, objects: Mapping[str, bytes]) -> None:
    for name, content in objects.items():
        s3.pipe_file(f"bucket/{name}", content)


def test_changes_of_a_bucket_are_fetched(tmp_path: Path, s3: Any) -> None:
    put(s3, {"set/train/a.txt": b"one", "set/train/b c#.txt": b"two", "set/gone": b"3", "set/empty/": b"", "x": b"4"})
    folder = fetch("s3://bucket/set", tmp_path)
    assert content_of(folder) == {"train/a.txt": b"one", "train/b c#.txt": b"two", "gone": b"3"}
    put(s3, {"set/train/a.txt": b"ONE"})
    s3.rm("bucket/set/gone")
    followed = fetch("s3://bucket/set/", tmp_path)
    assert content_of(followed) == {"train/a.txt": b"ONE", "train/b c#.txt": b"two"}
    assert content_of(folder) == {"train/a.txt": b"one", "train/b c#.txt": b"two", "gone": b"3"}
    assert (folder / "train/b c#.txt").samefile(followed / "train/b c#.txt")


def test_an_archive_in_a_bucket(tmp_path: Path, s3: Any) -> None:
    put(s3, {"a.tar.gz": b"any bytes"})
    archive = fetch("s3://bucket/a.tar.gz", tmp_path)
    assert (archive.name, archive.read_bytes()) == ("a.tar.gz", b"any bytes")
    before = archive.stat().st_mtime_ns
    assert fetch("s3://bucket/a.tar.gz", tmp_path).stat().st_mtime_ns == before


def test_a_missing_bucket(tmp_path: Path, s3: Any) -> None:
    with pytest.raises(DatasetError, match="s3://no-such-bucket/set: nothing is there; check the spelling"):
        fetch("s3://no-such-bucket/set", tmp_path)
    with pytest.raises(DatasetError, match="s3://bucket/nothing: nothing is there"):
        fetch("s3://bucket/nothing", tmp_path)


# --- the web ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

    (tmp_path / "web").mkdir()
    handler = functools.partial(Handler, directory=str(tmp_path / "web"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_archive_on_the_web(tmp_path: Path, web: str) -> None:
    (tmp_path / "web/a.zip").write_bytes(b"first")
    archive = fetch(f"{web}/a.zip?token=1", tmp_path / "in")
    assert (archive.name, archive.read_bytes()) == ("a.zip", b"first")
    before = archive.stat().st_mtime_ns
    assert fetch(f"{web}/a.zip?token=1", tmp_path / "in").stat().st_mtime_ns == before
    (tmp_path / "web/a.zip").write_bytes(b"another")
    os.utime(tmp_path / "web/a.zip", (1, 1))
    assert fetch(f"{web}/a.zip?token=1", tmp_path / "in").read_bytes() == b"another"
    with pytest.raises(DatasetError, match=r"/b\.zip\?\*\*\*: nothing is there"):
        fetch(f"{web}/b.zip?token=hush", tmp_path / "in")
