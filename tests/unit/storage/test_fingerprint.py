"""The hash of a folder follows its content, and nothing else."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from florence2.errors import DatasetError
from florence2.storage import fingerprint
from florence2.storage.fingerprint import fingerprint_folder, hash_files
from tests.builders import write_dataset, write_image


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def age(root: Path) -> None:
    """Set all times back, so that the index is trusted."""
    for path in root.rglob("*"):
        os.utime(path, (1, 1))


def test_a_hidden_image_has_an_effect(tmp_path: Path) -> None:
    root = write_dataset(tmp_path / "set")
    before = fingerprint_folder(root)
    write_image(root / "train" / ".a.png", color=(1, 2, 3))
    assert fingerprint_folder(root) != before


def test_path_times_and_leftovers_have_no_effect(tmp_path: Path) -> None:
    first = fingerprint_folder(write_dataset(tmp_path / "one"))
    (tmp_path / "one").rename(tmp_path / "two")
    (tmp_path / "two/train/.DS_Store").write_text("x")
    (tmp_path / "two/.git").mkdir()
    (tmp_path / "two/.git/HEAD").write_text("x")
    (tmp_path / "two/train/a.png").touch()
    assert fingerprint_folder(tmp_path / "two") == first


def test_bytes_names_and_presence_of_files_have_an_effect(tmp_path: Path) -> None:
    root = write_dataset(tmp_path / "set")
    prints = [fingerprint_folder(root)]
    image = root / "train/a.png"
    data = bytearray(image.read_bytes())
    data[-1] ^= 1
    image.write_bytes(bytes(data))
    prints.append(fingerprint_folder(root))
    image.rename(root / "train/b.png")
    prints.append(fingerprint_folder(root))
    (root / "test/annotations.jsonl").unlink()
    prints.append(fingerprint_folder(root))
    assert len(set(prints)) == 4


def test_a_fingerprint_is_the_hash_of_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "set/b").mkdir(parents=True)
    (tmp_path / "set/b/x").write_text("1")
    (tmp_path / "set/a\udcff").write_text("2")
    expected = hashlib.sha256(
        b"a\xff\0" + hashlib.sha256(b"2").digest() + b"b/x\0" + hashlib.sha256(b"1").digest()
    ).hexdigest()
    assert fingerprint_folder(tmp_path / "set") == expected


def test_links_inside_are_hashed_by_their_content(tmp_path: Path) -> None:
    root = write_dataset(tmp_path / "set")
    (root / "train/loop").symlink_to(root)
    (root / "train/same.png").symlink_to("a.png")
    before = fingerprint_folder(root)
    write_image(root / "train/a.png", color=(9, 9, 9))
    after = fingerprint_folder(root)
    assert after != before
    (root / "train/same.png").unlink()
    (root / "train/same.png").write_bytes((root / "train/a.png").read_bytes())
    assert fingerprint_folder(root) == after


def test_links_out_of_the_folder_are_hashed_by_their_text(tmp_path: Path) -> None:
    root = write_dataset(tmp_path / "set")
    outside = write_dataset(tmp_path / "outside")
    (root / "more").symlink_to(outside)
    (root / "one").symlink_to(outside / "train/a.png")
    (root / "nothing").symlink_to("nowhere")
    first = fingerprint_folder(root)
    write_image(outside / "train/a.png", color=(9, 9, 9))
    assert fingerprint_folder(root) == first
    (root / "one").unlink()
    (root / "one").symlink_to(outside / "test/a.png")
    assert fingerprint_folder(root) != first


def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    root = write_dataset(tmp_path / "set")
    first = fingerprint_folder(root)
    os.mkfifo(root / "train/pipe.png")
    assert fingerprint_folder(root) == first


def test_a_root_that_is_a_link(tmp_path: Path) -> None:
    root = write_dataset(tmp_path / "set")
    (tmp_path / "link").symlink_to(root)
    assert fingerprint_folder(tmp_path / "link") == fingerprint_folder(root)


def test_an_unchanged_file_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_dataset(tmp_path / "set")
    age(root)
    read: list[str] = []
    original = fingerprint._sha256

    def note(path: Path) -> str:
        read.append(path.name)
        return original(path)

    monkeypatch.setattr(fingerprint, "_sha256", note)
    first = fingerprint_folder(root)
    assert len(read) == 6
    assert fingerprint_folder(root) == first
    assert len(read) == 6
    write_image(root / "train/a.png", color=(9, 9, 9))
    for _ in range(2):  # it changed just now, so it is read each time
        assert fingerprint_folder(root) != first
    assert read[6:] == ["a.png", "a.png"]
    fingerprint_folder(root, verify=True)
    assert len(read) == 8 + 6


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such folder"):
        fingerprint_folder(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="is a file; give the folder"):
        fingerprint_folder(tmp_path / "file")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"gone: cannot be read \(No such file or directory\)"):
        hash_files(tmp_path, ["gone"])
