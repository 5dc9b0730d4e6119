"""Sources: whatever is named, a local folder comes out, brought there once."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import fsspec  # type: ignore[import-untyped]
import pytest

from florence2.datasets import location as locating
from florence2.datasets.location import locate
from florence2.errors import DatasetError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "florence2"


def make_zip(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, name)
    return path


def test_a_folder_stays_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "my.zip").mkdir()
    assert locate("my set") == locate("~/my set") == locate(f"file://{tmp_path}/my%20set") == tmp_path / "my set"
    assert locate("my.zip") == tmp_path / "my.zip"


def test_an_unknown_builtin_set() -> None:
    with pytest.raises(DatasetError, match="unknown built-in data set 'builtin:dogs'; known: builtin:cards"):
        locate("builtin:dogs")


def test_an_archive_is_extracted_once(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = make_zip(tmp_path / "a.zip", "train/a.txt", "valid/a.txt")
    folder = locate(str(archive))
    assert folder.parent == cache / "datasets"
    assert (folder / "train/a.txt").read_text() == "train/a.txt"
    assert folder.stat().st_mode & 0o700 == 0o700
    monkeypatch.setattr(locating, "extract", None)
    archive.rename(tmp_path / "b.zip")
    assert locate(str(tmp_path / "b.zip")) == locate(f"file://{tmp_path}/b.zip") == folder
    assert [path.name for path in (cache / "datasets").iterdir()] == [folder.name]


def test_verify_repairs_what_was_changed_in_the_cache(tmp_path: Path, cache: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", "train/a.txt", "valid/a.txt")
    folder = locate(str(archive))
    (folder / "train/a.txt").write_text("spoilt")
    (folder / "valid/a.txt").unlink()
    assert locate(str(archive), verify=True) == folder
    assert [(folder / name).read_text() for name in ("train/a.txt", "valid/a.txt")] == ["train/a.txt", "valid/a.txt"]
    assert [path.name for path in (cache / "datasets").iterdir()] == [folder.name]


def test_what_a_killed_process_left_is_removed_after_a_day(tmp_path: Path, cache: Path) -> None:
    old, young = (cache / "datasets" / f".unfinished-{name}" for name in ("old", "young"))
    for left in (old, young):
        left.mkdir(parents=True)
    os.utime(old, (0, 0))
    locate(str(make_zip(tmp_path / "a.zip", "train/a.txt", "x")))
    assert (old.exists(), young.exists()) == (False, True)


def test_a_changed_archive_is_extracted_anew(tmp_path: Path) -> None:
    first = locate(str(make_zip(tmp_path / "a.zip", "train/a.txt", "x")))
    second = locate(str(make_zip(tmp_path / "a.zip", "train/b.txt", "x")))
    assert (first / "train/a.txt").exists()
    assert (second / "train/b.txt").exists()


@pytest.mark.parametrize(
    ("names", "inner"),
    [
        (["set/v1/train/a", "set/v1/readme", "__MACOSX/set/._v1", ".DS_Store"], "set/v1"),
        (["set/train/a"], "set"),
        (["train/a", "data.yaml"], ""),
    ],
)
def test_the_only_folder_of_an_archive_is_the_data_set(
    tmp_path: Path, cache: Path, names: list[str], inner: str
) -> None:
    folder = locate(str(make_zip(tmp_path / "a.zip", *names)))
    assert folder.relative_to(next((cache / "datasets").iterdir())) == Path(inner)


def test_what_cannot_be_extracted_leaves_nothing(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "a.zip").write_text("no archive")
    with pytest.raises(DatasetError, match=r"a\.zip: damaged or no archive"):
        locate(str(tmp_path / "a.zip"))
    assert list((cache / "datasets").iterdir()) == []
    with pytest.raises(DatasetError, match=r"none\.zip: no such archive; give"):
        locate(str(tmp_path / "none.zip"))


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = make_zip(tmp_path / "a.zip", "train/a")
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(DatasetError, match=r"cannot be written .* set XDG_CACHE_HOME"):
        locate(str(archive))


def test_a_folder_and_an_archive_behind_a_uri(tmp_path: Path, cache: Path) -> None:
    files = fsspec.filesystem("memory")
    files.pipe({"/sources/set/train/a.txt": b"1", "/sources/a.zip": make_zip(tmp_path / "a.zip", "s/x").read_bytes()})
    folder = locate("memory://sources/set")
    assert folder.is_relative_to(cache / "mirrors")
    assert (folder / "train/a.txt").read_bytes() == b"1"
    assert (locate("memory://sources/a.zip") / "x").read_text() == "s/x"
