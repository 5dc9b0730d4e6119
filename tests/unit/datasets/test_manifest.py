"""The manifest: it checks itself, says what it holds, and survives saving."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec  # type: ignore[import-untyped]
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from florence2.config import DatasetConfig
from florence2.datasets.ingestion import ingest
from florence2.datasets.location import locate
from florence2.datasets.manifest import COLUMNS, DatasetManifest
from florence2.errors import DatasetError
from florence2.storage.packed import pack
from tests.builders import manifest, manifest_row, write_dataset

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
rows = st.fixed_dictionaries(
    {},
    optional={
        "split": st.sampled_from(["train", "valid", "test", ""]),
        "image": texts,
        "width": st.none() | st.integers(1, 10**6),
        "prefix": texts,
        "suffix": texts,
        "line_error": st.none() | texts,
        "image_error": st.none() | texts,
    },
)


@settings(max_examples=15)
@given(st.lists(rows, max_size=5))
def test_loading_inverts_saving(tmp_path_factory: pytest.TempPathFactory, made: list[dict[str, Any]]) -> None:
    folder = tmp_path_factory.mktemp("manifest")
    before = manifest(*made)
    before.save(folder)
    after = DatasetManifest.load(folder)
    pd.testing.assert_frame_equal(after.table, before.table)
    assert (after.fetch_root(), after.fingerprint) == (before.fetch_root(), before.fingerprint)


def test_saved_files_are_no_pickle(tmp_path: Path) -> None:
    manifest({}).save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images.parquet", "manifest.json", "manifest.parquet"]
    header = json.loads((tmp_path / "manifest.json").read_text())
    # Manifests of earlier versions have these keys, and are still read.
    assert list(header) == ["format", "place", "content", "splits", "rows", "fingerprint"]
    assert header["rows"] == 1


def test_loading_refuses_what_was_changed(tmp_path: Path) -> None:
    manifest({}).save(tmp_path)
    header = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(header | {"fingerprint": "0"}))
    with pytest.raises(DatasetError, match="not those of the header"):
        DatasetManifest.load(tmp_path)
    (tmp_path / "manifest.parquet").write_bytes(b"no parquet")
    with pytest.raises(DatasetError, match="no readable manifest"):
        DatasetManifest.load(tmp_path)
    with pytest.raises(DatasetError, match="no readable manifest"):
        DatasetManifest.load(tmp_path / "missing")


def test_fingerprint_follows_content_and_not_the_source() -> None:
    assert manifest({}, {}).fingerprint == manifest({}, {}, root="/elsewhere").fingerprint
    changes: list[dict[str, Any]] = [
        {"split": "test"},
        {"sha256": "f" * 64},
        {"suffix": "dog"},
        {"line": 9},
        {"width": None},
        {"line_error": ""},
    ]
    prints = {manifest({}, change).fingerprint for change in [{}, *changes]}
    assert len(prints) == len(changes) + 1


def test_fingerprint_is_the_same_in_every_process_and_version() -> None:
    found = manifest({}, {"width": None, "image_error": "missing: no such file", "suffix": "été"}).fingerprint
    assert found == "e8b33f30f89ca832a07b6247900b1f023ac0114c86f8c5a9de22c56b40882e8f"


def test_refuses_a_table_that_is_not_a_manifest() -> None:
    full = manifest({})
    good = full.table
    with pytest.raises(ValueError, match="absolute"):
        replace(full, source="data")
    with pytest.raises(ValueError, match="columns must be"):
        replace(full, table=good.drop(columns="suffix"))
    with pytest.raises(ValueError, match="columns must be"):
        replace(full, table=good.astype({"line": "Int64"}))
    with pytest.raises(ValueError, match="columns must be"):
        replace(full, table=good[list(reversed(COLUMNS))])
    with pytest.raises(ValueError, match=r"indexed 0\.\.n-1"):
        replace(full, table=good.set_index(pd.Index([5])))
    with pytest.raises(ValueError, match="missing values"):
        replace(full, table=good.assign(suffix=pd.array([None], dtype="string")))
    with pytest.raises(ValueError, match="split must be one of"):
        manifest({"split": "dev"})


def test_selects_and_drops_rows() -> None:
    full = manifest({}, {"split": "test"}, {}, {"split": ""})
    assert full.select("train").table["line"].tolist() == [1, 3]
    assert full.select("").table["line"].tolist() == [4]
    assert full.drop([0, 2]).table["line"].tolist() == [2, 4]
    assert len(full.select("valid")) == 0


def test_row_builder_has_all_columns() -> None:
    assert list(manifest_row()) == list(COLUMNS)


def test_files_behind_a_uri_are_fetched_when_they_are_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On another machine, which has another cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "here"))
    address = "file://" + pack(write_dataset(tmp_path / "data"), str(tmp_path / "store"))
    ingest(DatasetConfig(source=address)).save(tmp_path / "artifact")
    assert str(tmp_path / "here") not in (tmp_path / "artifact/manifest.json").read_text()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "there"))
    other = DatasetManifest.load(tmp_path / "artifact")
    assert other.source == address
    for name in dir(other):
        getattr(other, name)
    assert not (tmp_path / "there").exists(), "no attribute fetches"
    assert other.select("train").fetch_root().is_relative_to(tmp_path / "there")
    assert all((other.fetch_root() / image).is_file() for image in other.table["image"])


def test_files_behind_a_uri_are_fetched_once_for_all_selections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    fsspec.filesystem("memory").put(str(write_dataset(tmp_path / "data")), "/once", recursive=True)
    ingest(DatasetConfig(source="memory://once")).save(tmp_path / "artifact")
    loaded = DatasetManifest.load(tmp_path / "artifact")
    fetched: list[str] = []

    def counted(source: str) -> Path:
        fetched.append(source)
        return locate(source)

    monkeypatch.setattr("florence2.datasets.manifest.locate", counted)
    splits = [loaded.select(split) for split in ("train", "valid", "test")]
    roots = {manifest.fetch_root() for manifest in (*splits, loaded.drop([0]))}
    assert roots == {loaded.fetch_root(), pickle.loads(pickle.dumps(loaded)).fetch_root()}
    assert fetched == ["memory://once"]


def test_files_that_changed_behind_a_uri_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    memory = fsspec.filesystem("memory")
    memory.put(str(write_dataset(tmp_path / "data")), "/cards", recursive=True)
    ingest(DatasetConfig(source="memory://cards")).save(tmp_path / "artifact")
    assert DatasetManifest.load(tmp_path / "artifact").fetch_root().is_dir()
    memory.pipe_file("/cards/data/more.txt", b"x")
    with pytest.raises(DatasetError, match="memory://cards: has changed since its rows were read; run again"):
        DatasetManifest.load(tmp_path / "artifact").fetch_root()


def test_an_address_with_a_secret_is_not_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    fsspec.filesystem("memory").put(str(write_dataset(tmp_path / "data")), "/hunter2@cards", recursive=True)
    ingest(DatasetConfig(source="memory://hunter2@cards")).save(tmp_path / "artifact")
    assert "hunter2" not in (tmp_path / "artifact/manifest.json").read_text()
