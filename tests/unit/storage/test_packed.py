"""Packing a folder into a store and unpacking it: the same content, sent and fetched once."""

from __future__ import annotations

import json
import os
import random
import tarfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import fsspec  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from florence2.datasets.location import is_local, locate
from florence2.errors import DatasetError
from florence2.storage import packed as packing
from florence2.storage.fingerprint import contents_of, fingerprint_folder
from florence2.storage.packed import is_packed, pack, unpacked


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "florence2" / "packed"


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "_SHARD_BYTES", 4000)


@pytest.fixture
def store() -> Iterator[str]:
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    yield "memory://bucket/florence2"
    memory.store.clear()


def write_files(root: Path, count: int = 60) -> Path:
    made = random.Random(0)
    for number in range(count):
        file = root / f"train/{number:03d}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(made.randbytes(made.randrange(800)))
    return root


class Counting:
    """Counts what is written and read through a file system."""

    def __init__(self) -> None:
        self._files = fsspec.filesystem("memory")
        self.written: list[str] = []
        self.opened: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._files, name)

    def open(self, path: str, mode: str, **options: Any) -> Any:
        (self.written if "w" in mode else self.opened).append(path.rpartition("/")[2])
        return self._files.open(path, mode, **options)

    def pipe_file(self, path: str, content: bytes) -> None:
        self.written.append("index")
        self._files.pipe_file(path, content)


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=120).filter(
    lambda name: name not in (".", "..", ".git", ".DS_Store") and len(os.fsencode(name)) < 200
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.sets(NAMES, max_size=6), bodies=st.lists(st.binary(max_size=2000), min_size=6, max_size=6))
def test_an_unpacked_folder_equals_the_packed_one(
    tmp_path_factory: pytest.TempPathFactory, names: set[str], bodies: list[bytes]
) -> None:
    top = tmp_path_factory.mktemp("any")
    folder = top / "data"
    (folder / "train").mkdir(parents=True)
    for name, body in zip(sorted(names), bodies, strict=False):
        (folder / "train" / name).write_bytes(body)
    found = unpacked(pack(folder, str(top / "store")), verify=True)
    assert contents_of(found) == contents_of(folder)


def test_links_and_names_that_are_not_utf8_are_packed(tmp_path: Path, store: str) -> None:
    folder = write_files(tmp_path / "data", 3)
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xfe.png")).write_bytes(b"x")
    (folder / "valid").symlink_to("train")
    (folder / "gone").symlink_to("/nowhere")
    found = unpacked(pack(folder, store))
    assert fingerprint_folder(found) == fingerprint_folder(folder)
    assert (found / "valid").readlink() == Path("train")


@pytest.mark.usefixtures("small_shards")
def test_what_was_packed_before_is_not_sent_again(tmp_path: Path, store: str) -> None:
    first, again = Counting(), Counting()
    address = pack(write_files(tmp_path / "a"), store, files=first)
    assert is_packed(address)
    assert not is_local(address)
    assert len(first.written) > 3
    assert first.written[-1] == "index"
    assert pack(write_files(tmp_path / "elsewhere"), store, files=again) == address
    assert again.written == []


@pytest.mark.usefixtures("small_shards")
def test_for_an_added_file_only_its_shard_is_sent(tmp_path: Path, store: str) -> None:
    folder = write_files(tmp_path / "a")
    pack(folder, store)
    (folder / "train/030a.png").write_bytes(b"another")
    files = Counting()
    address = pack(folder, store, files=files)
    assert len(files.written) == 2  # a shard and the index
    assert fingerprint_folder(unpacked(address)) == fingerprint_folder(folder)


@pytest.mark.usefixtures("small_shards")
def test_an_interrupted_call_continues_with_the_missing_shards(
    tmp_path: Path, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_files(tmp_path / "a")
    monkeypatch.setattr(packing, "_THREADS", 1)  # of several shards none may be complete yet
    copy, copied = packing._copy, []

    def broken(file: Path, *args: Any) -> str:
        copied.append(file)
        if len(copied) > 30:
            raise ConnectionError("the line is cut")
        return copy(file, *args)

    monkeypatch.setattr(packing, "_copy", broken)
    with pytest.raises(DatasetError, match=r"cannot be written \(ConnectionError: the line is cut\)"):
        pack(folder, store)
    monkeypatch.setattr(packing, "_copy", copy)
    memory = fsspec.filesystem("memory")
    assert not [path for path in memory.find("/bucket") if path.endswith(".json")]
    there, files = len(memory.find("/bucket")), Counting()
    address = pack(folder, store, files=files)
    shards = len(json.loads(memory.cat_file(address))["shards"])
    assert there > 2
    assert shards - there < len(files.written) - 1 < shards  # the one that was cut off is sent again
    assert fingerprint_folder(unpacked(address)) == fingerprint_folder(folder)


def test_a_shard_is_a_plain_tar_file(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "a", 5)
    address = pack(folder, str(tmp_path / "store"))
    (shard,) = json.loads(Path(address).read_text())["shards"]
    file = tmp_path / "store/packed/shards" / f"{shard['name']}.tar"
    assert file.stat().st_size == shard["bytes"]
    with tarfile.open(file) as opened:
        assert opened.getnames() == sorted(contents_of(folder).hashes)


def test_several_processes_fetch_it_once(tmp_path: Path, cache: Path) -> None:
    address = "file://" + pack(write_files(tmp_path / "a"), str(tmp_path / "store"))
    with ProcessPoolExecutor(3) as pool:
        found = set(pool.map(unpacked, [address] * 6))
    assert len(found) == 1
    assert locate(address) == found.pop()
    assert [path.name for path in cache.iterdir() if path.is_dir()] == [fingerprint_folder(tmp_path / "a")]
    (tmp_path / "store").rename(tmp_path / "moved")
    assert unpacked(address).is_dir()


def test_a_folder_unused_for_a_month_is_removed_when_another_is_fetched(
    tmp_path: Path, store: str, cache: Path
) -> None:
    addresses = [pack(write_files(tmp_path / str(count), count), store) for count in (1, 2, 3)]
    old, used, new = (address.rpartition("/")[2].removesuffix(".json") for address in addresses)
    for address in addresses[:2]:
        os.utime(unpacked(address), (1, 1))
    assert unpacked(addresses[1]).stat().st_mtime > 1
    unpacked(addresses[2])
    assert {path.name for path in cache.iterdir()} == {used, f"{used}.lock", new, f"{new}.lock"}
    assert fingerprint_folder(unpacked(addresses[0])) == old


def test_content_that_does_not_match_its_name_is_refused_and_removed(tmp_path: Path, cache: Path) -> None:
    address = pack(write_files(tmp_path / "a"), str(tmp_path / "store"))
    (shard,) = (tmp_path / "store/packed/shards").iterdir()
    content = bytearray(shard.read_bytes())
    content[600] ^= 1
    shard.write_bytes(content)
    with pytest.raises(DatasetError, match=r"its content does not match its name; remove the index and the shards"):
        unpacked(address)
    assert not [path for path in cache.iterdir() if path.is_dir()]
    shard.unlink()
    with pytest.raises(DatasetError, match=r"nothing is there; check the spelling"):
        unpacked(address)


@pytest.mark.parametrize("name", ["../a.png", "/a.png", "train/../../a.png"])
def test_a_name_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    address = pack(write_files(tmp_path / "a", 1), str(tmp_path / "store"))
    (shard,) = (tmp_path / "store/packed/shards").iterdir()
    shard.write_bytes(packing._header(name, 0) + bytes(1024))
    with pytest.raises(DatasetError, match="leads out of the folder"):
        unpacked(address)
    assert not (tmp_path / "cache/florence2/a.png").exists()


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    address = pack(write_files(tmp_path / "a", 1), str(tmp_path / "store"))
    (tmp_path / "outside").mkdir()
    index = json.loads(Path(address).read_text())
    index["links"] = {"out": str(tmp_path / "outside"), "out/new": "anything"}
    Path(address).write_text(json.dumps(index))
    with pytest.raises(DatasetError, match="'out/new' leads through a link"):
        unpacked(address)
    assert not list((tmp_path / "outside").iterdir())


def test_a_file_that_changes_while_it_is_packed_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_files(tmp_path / "a")
    monkeypatch.setattr(packing, "contents_of", lambda root, verify: changed(contents_of(root)))

    def changed(contents: Any) -> Any:
        file = folder / "train/030.png"
        file.write_bytes(bytes(len(file.read_bytes())))
        return contents

    with pytest.raises(DatasetError, match=r"030.png: changed or was removed while it was packed"):
        pack(folder, str(tmp_path / "store"))


def test_no_message_holds_a_secret(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        unpacked(f"https://me:secret@127.0.0.1:1/packed/{'0' * 64}.json?key=secret")
    assert "secret" not in str(caught.value)
