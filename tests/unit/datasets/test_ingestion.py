"""From a source to a manifest that other machines can use as well."""

from __future__ import annotations

import shutil
from pathlib import Path

import fsspec  # type: ignore[import-untyped]
import pytest

from florence2.codec import FREE_TASK, task_table
from florence2.config import DatasetConfig, ModelConfig, TaskConfig
from florence2.datasets.ingestion import ingest
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import ConfigurationError, DatasetError
from florence2.project.survey import survey
from florence2.storage import fingerprint_folder, pack
from tests.builders import annotation, write_dataset


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_folder_of_this_machine_is_its_own_source(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", {"train": [annotation()]})
    manifest = ingest(DatasetConfig(source=str(data)))
    assert (manifest.source, manifest.content, len(manifest)) == (str(data), "", 1)


def test_what_other_machines_can_fetch_keeps_its_address(tmp_path: Path, cache: Path) -> None:
    data = write_dataset(tmp_path / "data", {"train": [annotation()]})
    fsspec.filesystem("memory").put(str(data), "/ingested", recursive=True)
    behind_uri = ingest(DatasetConfig(source="memory://ingested"))
    assert (behind_uri.source, behind_uri.content) == ("memory://ingested", fingerprint_folder(data))
    packed = pack(data, str(tmp_path / "store"))
    source = f"file://{packed}" if "://" not in packed else packed
    manifest = ingest(DatasetConfig(source=source))
    assert (manifest.source, manifest.content) == (source, "")
    assert manifest.fetch_root().is_relative_to(cache)
    assert manifest.fingerprint == behind_uri.fingerprint


def test_the_built_in_set_is_named_by_what_makes_it() -> None:
    assert ingest(DatasetConfig()).source == "builtin:cards"


def test_the_format_is_checked_when_the_data_set_is_read(tmp_path: Path) -> None:
    config = DatasetConfig(source=str(write_dataset(tmp_path / "data")), format="jsnol")
    with pytest.raises(ConfigurationError, match=r"unknown format 'jsnol'; did you mean jsonl\?"):
        ingest(config)


def test_an_archive_is_named_by_its_own_name(tmp_path: Path, cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = write_dataset(tmp_path / "data", {"train": [annotation()]})
    archive = Path(shutil.make_archive(str(tmp_path / "my cards"), "zip", data))
    with caplog.at_level("INFO"):
        manifest = ingest(DatasetConfig(source=str(archive)))
    assert f"{archive}: read as jsonl" in caplog.text
    assert (manifest.name, manifest.content) == (str(archive), fingerprint_folder(data))
    assert manifest.fetch_root().is_relative_to(cache)
    (data / "train/annotations.jsonl").unlink()
    empty = Path(shutil.make_archive(str(tmp_path / "empty"), "zip", data))
    with pytest.raises(DatasetError, match=rf"^{empty}: no annotations found"):
        ingest(DatasetConfig(source=str(empty)))
    with pytest.raises(DatasetError, match=f"^{empty}: "):
        survey(DatasetConfig(source=str(empty)), ModelConfig(base="builtin:nano"))


def test_a_manifest_of_an_archive_that_changed_is_refused(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", {"train": [annotation()]})
    archive = Path(shutil.make_archive(str(tmp_path / "a"), "zip", data))
    ingest(DatasetConfig(source=str(archive))).save(tmp_path / "kept")
    assert DatasetManifest.load(tmp_path / "kept").fetch_root().is_dir()
    (data / "train/more.txt").touch()
    shutil.make_archive(str(tmp_path / "a"), "zip", data)
    with pytest.raises(DatasetError, match=r"a\.zip: has changed since its rows were read"):
        DatasetManifest.load(tmp_path / "kept").fetch_root()


def test_a_set_of_plain_sentences_is_a_set_of_free_prompts(tmp_path: Path) -> None:
    lines = [annotation(prefix="Which shop is it?", suffix="ACME"), annotation(prefix="How much?", suffix="3.50")]
    data = write_dataset(tmp_path / "data", {"train": lines})
    manifest = ingest(DatasetConfig(source=str(data)))
    assert manifest.table["task"].tolist() == ["<ANY>", "<ANY>"]
    assert manifest.tasks.own == (FREE_TASK,)
    stored = tmp_path / "stored"
    manifest.save(stored)
    assert DatasetManifest.load(stored).tasks == manifest.tasks
    assert DatasetManifest.load(stored).fingerprint == manifest.fingerprint


@pytest.mark.parametrize("other", ["<OD>", "<od>", ""])
def test_one_token_among_sentences_keeps_them_from_being_free_prompts(tmp_path: Path, other: str) -> None:
    lines = [annotation(prefix="Which shop is it?", suffix="ACME"), annotation(prefix=other)]
    data = write_dataset(tmp_path / "data", {"train": lines})
    assert "<ANY>" not in ingest(DatasetConfig(source=str(data))).tasks


def test_own_tasks_are_those_of_the_rows_and_part_of_the_content(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", {"train": [annotation(prefix="<RECEIPT>", suffix="{}")]})
    config = DatasetConfig(source=str(data))
    without, other = ingest(config), ingest(config, task_table({"<RECEIPT>": TaskConfig()}))
    receipts = ingest(config, task_table({"<RECEIPT>": TaskConfig(answer="json")}))
    assert without.table["task"].tolist() == [""]
    assert receipts.table["task"].tolist() == ["<RECEIPT>"]
    assert len({manifest.fingerprint for manifest in (without, other, receipts)}) == 3
