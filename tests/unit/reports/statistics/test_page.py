"""The page about a data set: self-contained, escaped, and whole where images are not."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path

import pytest
from PIL import Image

from florence2.datasets.formats import read_dataset
from florence2.datasets.manifest import DatasetManifest
from florence2.datasets.statistics.compute import compute_statistics
from florence2.datasets.statistics.drift import compare
from florence2.datasets.statistics.features import FEATURES
from florence2.reports.statistics.page import render_statistics
from tests.builders import annotation, manifest, write_dataset, write_scenes


def page_of(found: DatasetManifest) -> str:
    return render_statistics(compute_statistics(found), found, None)


def images_in(page: str) -> list[Image.Image]:
    found = re.findall(r'src="data:image/jpeg;base64,([^"]*)"', page)
    return [Image.open(io.BytesIO(base64.b64decode(content))) for content in found]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> DatasetManifest:
    return read_dataset(write_scenes(tmp_path_factory.mktemp("scenes")))


def test_page_needs_nothing_else(scenes: DatasetManifest) -> None:
    page = page_of(scenes)
    assert "<script" not in page
    assert re.findall(r'(?:src|href)="(?!data:)[^"]*"', page) == []
    assert "url(" not in page
    assert page.count("data:image/svg+xml") == 11, "a histogram of each of ten features and the map of centres"
    assert len(images_in(page)) == 12
    assert [title for title in ("Rows of &lt;OD&gt;", "red tile", "Box centres", "Random") if title not in page] == []


def test_page_shows_a_comparison(scenes: DatasetManifest) -> None:
    train, test = (compute_statistics(scenes.select(split)) for split in ("train", "test"))
    drift = compare(train, test)
    page = render_statistics(train, scenes, drift)
    assert f"{test.title} against {train.title}" in page
    assert train.title.endswith(", train")
    assert drift.sentence in page
    assert page.count("of both data sets") == len(FEATURES)


def test_texts_are_escaped(tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)>&\"'"
    lines = [
        annotation("a.png", suffix=f"{evil}<loc_1><loc_2><loc_800><loc_900>"),
        annotation("b.png", f"<VQA>{evil}?", evil),
    ]
    found = read_dataset(write_dataset(tmp_path / "<b>set", {"train": lines}))
    reference = compute_statistics(manifest({"suffix": "<i>gone<loc_1><loc_2><loc_3><loc_4>"}))
    page = render_statistics(compute_statistics(found), found, compare(reference, compute_statistics(found)))
    assert "<img src=x" not in page
    assert "<b>set" not in page
    assert "&lt;i&gt;gone" in page
    assert page.count("&lt;img src=x") >= 3


def test_what_cannot_be_shown_leaves_a_frame(tmp_path: Path) -> None:
    lines = [annotation(f"{name}.png") for name in "abc"]
    outside = json.dumps(annotation("../../x.png"))
    root = write_dataset(tmp_path, {"train": [*lines, "not json", outside], "test": []})
    (root / "train/a.png").write_bytes(b"no image")
    found = read_dataset(root)
    (root / "train/b.png").unlink()
    page = page_of(found)
    assert len(images_in(page)) == 1
    assert page.count('class="frame"') == 4
    assert str(root) not in page
    assert "leads out of the data set" in page


@pytest.mark.parametrize("rows", [(), ({"suffix": "", "line_error": "not JSON", "image": ""},)])
def test_page_of_nearly_nothing(rows: tuple[dict[str, str], ...]) -> None:
    found = manifest(*rows)
    assert f"{len(rows)} rows about 0 images" in page_of(found)
