"""All images are probed: each once, unchanged ones not again, and none outside the data set."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from florence2.images import parallel
from florence2.images.files import ImageProbe, probe_image
from florence2.images.parallel import probe_images
from tests.builders import write_image

OUTSIDE = "outside: leads out of the data set's folder by a symbolic link"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def probed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are opened."""
    names: list[str] = []

    def probe(path: Path) -> ImageProbe:
        names.append(path.name)
        return probe_image(path)

    monkeypatch.setattr(parallel, "probe_image", probe)
    return names


def write_old(path: Path, color: tuple[int, int, int] | None = None) -> Path:
    os.utime(write_image(path, color=color), (1, 1))
    return path


def test_each_name_is_probed_once_in_order(tmp_path: Path, probed: list[str]) -> None:
    for name in "abc":
        write_image(tmp_path / f"{name}.png")
    found = probe_images(tmp_path, ["c.png", "a.png", "c.png", "none.png", "b.png"])
    assert list(found) == ["c.png", "a.png", "none.png", "b.png"]
    assert sorted(probed) == ["a.png", "b.png", "c.png", "none.png"]
    assert found["a.png"] == probe_image(tmp_path / "a.png")
    assert found["none.png"].error == "missing: no such file"


def test_unchanged_files_are_not_probed_again(tmp_path: Path, probed: list[str]) -> None:
    names = ["a.png", "b.png", "bad.png"]
    for name in names[:2]:
        write_old(tmp_path / name)
    (tmp_path / "bad.png").write_text("text")
    os.utime(tmp_path / "bad.png", (1, 1))
    first = probe_images(tmp_path, names)
    assert first["bad.png"].error == "unreadable: not an image of a known format"
    assert first["a.png"].signature
    probed.clear()
    assert probe_images(tmp_path, names) == first
    assert probed == []
    assert probe_images(tmp_path, names, verify=True) == first
    assert sorted(probed) == names
    probed.clear()
    write_old(tmp_path / "a.png", color=(250, 0, 0))
    second = probe_images(tmp_path, names)
    assert probed == ["a.png"]
    assert second["a.png"].sha256 != first["a.png"].sha256


def test_a_file_that_changed_just_now_is_probed_again(tmp_path: Path, probed: list[str]) -> None:
    write_image(tmp_path / "a.png")
    probe_images(tmp_path, ["a.png"])
    probe_images(tmp_path, ["a.png"])
    assert probed == ["a.png", "a.png"]


def test_another_version_of_the_signature_is_another_kind(
    tmp_path: Path, probed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_old(tmp_path / "a.png")
    probe_images(tmp_path, ["a.png"])
    monkeypatch.setattr(parallel, "_KIND", "probe/1/Pillow 0/signature 0")
    probe_images(tmp_path, ["a.png"])
    assert probed == ["a.png", "a.png"]


def test_an_interrupted_pass_continues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"{number:02}.png" for number in range(40)]
    for name in names:
        write_old(tmp_path / name)
    monkeypatch.setattr(parallel, "_PER_TRANSACTION", 8)
    monkeypatch.setattr(parallel, "_CHUNK", 4)
    probed: list[str] = []
    broken = {"30.png"}

    def probe(path: Path) -> ImageProbe:
        probed.append(path.name)
        if path.name in broken:
            raise KeyboardInterrupt
        return probe_image(path)

    monkeypatch.setattr(parallel, "probe_image", probe)
    with pytest.raises(KeyboardInterrupt):
        probe_images(tmp_path, names)
    probed.clear()
    broken.clear()
    assert len(probe_images(tmp_path, names)) == 40
    assert sorted(probed) == names[24:]


def test_links_that_lead_out_are_not_followed(tmp_path: Path, probed: list[str]) -> None:
    root = tmp_path / "real"
    outside = write_image(tmp_path / "outside" / "a.png")
    write_image(root / "train/a.png")
    (root / "in.png").symlink_to("train/a.png")
    (root / "folder").symlink_to(root / "train")
    (root / "out.png").symlink_to(outside)
    (root / "away").symlink_to(outside.parent)
    (root / "back").symlink_to("..")
    (root / "loop.png").symlink_to("loop.png")
    (tmp_path / "set").symlink_to(root)
    names = ["train/a.png", "in.png", "folder/a.png", "out.png", "away/a.png", "away/none.png", "back/outside/a.png"]
    found = probe_images(tmp_path / "set", [*names, "loop.png"])
    assert [found[name].error for name in names] == [None] * 3 + [OUTSIDE] * 4
    assert "loop" not in str(found["loop.png"].error)
    assert str(found["loop.png"].error).startswith("unreadable: ")
    assert sorted(probed) == ["a.png", "a.png", "in.png", "loop.png"]


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "null.png").symlink_to("/dev/null")
    found = probe_images(tmp_path, ["pipe.png", "folder.png", "null.png", "a\0.png", "\ud800.png", "x" * 300])
    assert [str(probe.error).partition(":")[0] for probe in found.values()] == [
        "unreadable",
        "unreadable",
        "outside",
        "unreadable",
        "unreadable",
        "unreadable",
    ]


def test_processes_find_what_threads_find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"{number:02}.png" for number in range(20)]
    for name in names:
        write_image(tmp_path / name)
    here = probe_images(tmp_path, names)
    monkeypatch.setattr(parallel, "_WORTH_PROCESSES", 1)
    monkeypatch.setattr(parallel, "_CHUNK", 3)
    monkeypatch.setattr(parallel, "_probe_here", None)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    assert probe_images(tmp_path, names) == here


def test_without_processes_threads_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_image(tmp_path / "a.png")
    monkeypatch.setattr(parallel, "_WORTH_PROCESSES", 1)
    monkeypatch.setattr("sys.executable", "")
    assert probe_images(tmp_path, ["a.png"])["a.png"].width == 20
