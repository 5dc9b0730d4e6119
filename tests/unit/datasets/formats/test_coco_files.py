"""Files of COCO annotations in every layout that tools write, and other JSON that is none."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from florence2.datasets.formats.coco_files import find_coco_files
from florence2.datasets.formats.recognition import read_dataset
from tests.builders import write_image

CATEGORIES = [{"id": 3, "name": "cat"}]
INFO = {"year": 2026, "version": "1.0", "contributor": "Label Studio"}


def write_coco(root: Path, file: str, names: dict[str, str]) -> None:
    """Write a file and its images; names are those in the file, by the path of the image on this disk."""
    images = []
    for number, (path, name) in enumerate(names.items()):
        write_image(root / path)
        images.append({"width": 20, "height": 10, "id": number, "file_name": name})
    things = [
        {"id": n, "image_id": n, "category_id": 3, "bbox": [2 + n, 1, 10, 5], "iscrowd": 0} for n in range(len(images))
    ]
    content = {"images": images, "categories": CATEGORIES, "annotations": things, "info": INFO}
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text(json.dumps(content, indent=2))


LAYOUTS: dict[str, dict[str, dict[str, str]]] = {
    "Label Studio": {"result.json": {"images/1-a.jpg": "images\\1-a.jpg", "images/2-b.jpg": "images/2-b.jpg"}},
    "CVAT": {"annotations/instances_default.json": {"images/a.png": "a.png", "images/deep/b.png": "deep/b.png"}},
    "FiftyOne": {"labels.json": {"data/a.png": "a.png", "data/b.png": "b.png"}},
    "beside": {"my annotations.json": {"a.png": "a.png", "b.png": "/home/me/set/b.png"}},
    "another machine": {"x.json": {"photos/a/1.png": "C:\\sets\\a\\1.png", "photos/b/1.png": "C:\\sets\\b\\1.png"}},
    "above": {"images/out.json": {"a.png": "../a.png", "b.png": "b.png"}},
    "folders": {"export/anything.json": {"pictures/a.png": "a.png", "pictures/b.png": "data/b.png"}},
    "in folders": {"labels/coco.json": {"photos/one/a.png": "one/a.png", "photos/two/a.png": "two/a.png"}},
}
SPLIT_LAYOUTS: dict[str, dict[str, dict[str, str]]] = {
    "COCO": {
        "annotations/instances_train2017.json": {"train2017/a.png": "a.png"},
        "annotations/instances_val2017.json": {"val2017/a.png": "a.png"},
    },
    "images below": {
        "annotations/train.json": {"images/train/a.png": "a.png"},
        "annotations/valid.json": {"images/valid/a.png": "a.png"},
    },
    "root": {"train.json": {"images/a.png": "a.png"}, "val.json": {"images/b.png": "b.png"}},
    "Roboflow": {
        "train/_annotations.coco.json": {"train/a.png": "a.png"},
        "valid/_annotations.coco.json": {"valid/a.png": "a.png"},
    },
    "named by folders": {
        "train/labels.json": {"train/images/a.png": "a.png"},
        "val/labels.json": {"val/images/a.png": "a.png"},
    },
    "deep": {
        "train/annotations/x.json": {"train/images/a.png": "images/a.png"},
        "validation/annotations/x.json": {"validation/images/a.png": "images/a.png"},
    },
    "split in file_name": {"all.json": {"train/a.png": "train/a.png", "val/a.png": "val\\a.png"}},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_set_without_splits_is_read_without_a_warning(
    tmp_path: Path, layout: str, caplog: pytest.LogCaptureFixture
) -> None:
    for file, names in LAYOUTS[layout].items():
        write_coco(tmp_path, file, names)
    with caplog.at_level(logging.WARNING):
        manifest = read_dataset(tmp_path)
    table = manifest.table
    assert caplog.text == ""
    assert table["image"].tolist() == [path for names in LAYOUTS[layout].values() for path in names]
    assert table["suffix"].tolist() == [
        "cat<loc_100><loc_100><loc_600><loc_600>",
        "cat<loc_150><loc_100><loc_650><loc_600>",
    ]
    assert table[["image_error", "line_error"]].isna().all(axis=None)
    assert manifest.splits == ()


@pytest.mark.parametrize("layout", SPLIT_LAYOUTS)
def test_splits_are_recognised_by_files_and_folders(
    tmp_path: Path, layout: str, caplog: pytest.LogCaptureFixture
) -> None:
    for file, names in SPLIT_LAYOUTS[layout].items():
        write_coco(tmp_path, file, names)
    with caplog.at_level(logging.WARNING):
        table = read_dataset(tmp_path).table
    assert caplog.text == ""
    assert table["split"].tolist() == ["train", "valid"]
    assert table["image"].tolist() == [path for names in SPLIT_LAYOUTS[layout].values() for path in names]
    assert table["image_error"].isna().all()


def test_a_file_without_a_split_next_to_files_with_one_is_left_out_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("train", "val", "all"):
        write_coco(tmp_path, f"annotations/{name}.json", {"images/a.png": "a.png"})
    assert read_dataset(tmp_path).table["split"].tolist() == ["train", "valid"]
    assert "annotations/all.json left out, since annotations/train.json names its split" in caplog.text


@pytest.mark.parametrize(
    "content",
    [
        '{"categories": [{"id": 0, "name": "cat"}], "info": {"contributor": "Label Studio"}}',
        '{"info": {}, "categories": {"label": {}}, "items": []}',
        '{"version": "5.0", "shapes": [], "imagePath": "a.png"}',
        '[{"image_id": 1, "category_id": 3, "bbox": [0, 0, 1, 1], "score": 0.5}]',
        '{"data": {"images": []}}',
        "",
    ],
)
def test_other_json_is_no_coco(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.json").write_text(content)
    assert find_coco_files(tmp_path) == []


def test_of_many_json_files_only_some_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(200):
        (tmp_path / f"{number}.json").write_text("{}")
    write_coco(tmp_path, "zz_instances.json", {"a.png": "a.png"})
    opened: list[str] = []
    monkeypatch.setattr("florence2.datasets.formats.coco_files._begins_as_coco", lambda _, file: opened.append(file))
    find_coco_files(tmp_path)
    assert (len(opened), opened[0]) == (64, "zz_instances.json")
