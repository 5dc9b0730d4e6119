"""Recognising a format by its files."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

import pytest

from florence2.datasets.formats.recognition import read_dataset
from florence2.datasets.formats.registry import FORMATS
from florence2.errors import DatasetError
from tests.builders import annotation, write_dataset, write_image

VOC = "<annotation><filename>a.png</filename></annotation>"
COCO = '{"images": [{"id": 1, "file_name": "a.png"}]}'
FILES = {
    "jsonl": {"train/annotations.jsonl": '{"image": "a.png", "prefix": "<CAPTION>", "suffix": "x"}'},
    "coco": {"train/_annotations.coco.json": COCO},
    "voc": {"train/a.xml": VOC},
    "yolo": {"data.yaml": "names: [cat]", "train/a.txt": ""},
    "labelme": {"train/a.json": '{"shapes": [], "imagePath": "a.png"}'},
    "cvat": {"annotations.xml": '<annotations><image name="a.png" subset="train"/></annotations>'},
    "label-studio": {"tasks.json": '[{"id": 1, "annotations": [{"result": []}], "data": {"image": "a.png"}}]'},
    "tf-csv": {"train/_annotations.csv": "filename,class,xmin,ymin,xmax,ymax\na.png,cat,1,1,2,2\n"},
    "imagefolder": {"train/metadata.jsonl": '{"file_name": "a.png", "text": "x"}'},
}


def write_files(root: Path, *formats: str) -> Path:
    write_image(root / "train/a.png")
    for format in formats:
        for name, content in FILES[format].items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(content)
    return root


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("nested", ["", "archive/set"])
def test_recognises_each_format(tmp_path: Path, name: str, nested: str, caplog: pytest.LogCaptureFixture) -> None:
    write_files(tmp_path / nested, name)
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "README.txt").touch()
    with caplog.at_level(logging.INFO):
        manifest = read_dataset(tmp_path)
    assert manifest.fetch_root() == tmp_path / nested
    assert len(manifest) == 1
    assert f"{tmp_path / nested}: read as {name}" in caplog.text
    assert read_dataset(tmp_path, name).fingerprint == manifest.fingerprint


def test_two_formats_in_one_folder_are_refused(tmp_path: Path) -> None:
    write_files(tmp_path, "coco", "voc")
    with pytest.raises(
        DatasetError, match=r"looks like coco \(.*\) and voc \(.*\); name its format, as in --format coco"
    ):
        read_dataset(tmp_path)
    assert len(read_dataset(tmp_path, "voc")) == 1


def test_nothing_that_is_known(tmp_path: Path) -> None:
    expected = r"expected .*data\.yaml with names, or labels/\*\.txt \(yolo\).*; it holds nothing"
    with pytest.raises(DatasetError, match=expected):
        read_dataset(tmp_path)
    write_image(tmp_path / "images/a.png")
    with pytest.raises(DatasetError, match="it holds images/"):
        read_dataset(tmp_path)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("jsonl", "train/annotations.jsonl"),
        ("coco", "train/_annotations.coco.json"),
        ("yolo", "data.yaml"),
    ],
)
@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_an_annotation_file_that_is_none_is_refused(tmp_path: Path, name: str, file: str, kind: str) -> None:
    root = write_files(tmp_path / "set", name)
    content = (root / file).read_bytes()
    (root / file).unlink()
    if kind == "link":
        (tmp_path / "elsewhere").write_bytes(content)
        (root / file).symlink_to(tmp_path / "elsewhere")
    else:
        os.mkfifo(root / file)
    message = "leads out of the data set's folder" if kind == "link" else "cannot be read (is not a regular file)"
    with pytest.raises(DatasetError, match=re.escape(f"{root / file}: {message}")):
        read_dataset(root)


@pytest.mark.parametrize(
    ("name", "files", "content"),
    [
        ("voc", ["train/a.xml", "train/b.xml"], VOC),
        ("yolo", ["labels/a.txt", "labels/b.txt"], "0 0.5 0.5 0.1 0.1"),
    ],
)
@pytest.mark.parametrize("kind", ["link", "pipe", "nothing"])
def test_an_annotation_file_of_one_image_that_is_none_spoils_no_other(
    tmp_path: Path, name: str, files: list[str], content: str, kind: str
) -> None:
    root = write_files(tmp_path / "set", name)
    for stem, file in zip("ab", files, strict=True):
        write_image(root / f"images/{stem}.png")
        (root / file).parent.mkdir(exist_ok=True)
        (root / file).write_text(content)
    bad = root / files[1]
    bad.unlink()
    if kind == "pipe":
        os.mkfifo(bad)
    else:
        bad.symlink_to(tmp_path / "elsewhere" if kind == "link" else "nowhere")
    message = {"link": "leads out of the", "pipe": "cannot be read (is not a", "nothing": "is a symbolic link to"}
    table = read_dataset(root, name).table
    good, spoilt = (table[table["file"] == file] for file in files)
    assert len(good) == len(spoilt) == 1
    assert good["line_error"].isna().all()
    assert spoilt["line_error"].iloc[0].startswith(message[kind])
    assert (spoilt["line"].iloc[0], Path(spoilt["image"].iloc[0]).stem) == (1, "b")


def test_a_link_that_stays_inside_is_followed(tmp_path: Path) -> None:
    root = write_dataset(tmp_path, {"train": [annotation()]})
    (root / "train/annotations.jsonl").rename(root / "all.jsonl")
    (root / "train/annotations.jsonl").symlink_to("../all.jsonl")
    assert len(read_dataset(root)) == 1


def test_a_folder_that_leads_out_is_not_followed(tmp_path: Path) -> None:
    write_files(tmp_path / "elsewhere", "jsonl")
    (tmp_path / "set").mkdir()
    (tmp_path / "set/train").symlink_to(tmp_path / "elsewhere/train")
    with pytest.raises(DatasetError, match="leads out of the data set's folder"):
        read_dataset(tmp_path / "set")


def test_an_image_whose_name_is_no_text_is_left_out_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = write_dataset(tmp_path, {"train": [annotation()]})
    for name in (b"/train/\xff.png", b"/\xfe/b.png"):
        path = Path(os.fsdecode(bytes(root) + name))
        path.parent.mkdir(exist_ok=True)
        path.write_bytes((root / "train/a.png").read_bytes())
    found = read_dataset(root)
    assert found.images["image"].tolist() == ["train/a.png"]
    warning = (
        "2 files or folders have names that are not valid UTF-8 and are left out, such as 'train/\\udcff.png'; rename"
    )
    assert warning in caplog.text


def test_a_label_file_whose_name_is_no_text_is_a_row_with_its_error(tmp_path: Path) -> None:
    write_files(tmp_path, "yolo")
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    Path(os.fsdecode(bytes(tmp_path) + b"/labels/\xff.txt")).write_text("0 0.5 0.5 0.1 0.1")
    errors = read_dataset(tmp_path).table["line_error"].dropna().tolist()
    what = "the name of an image or of its label file holds half of a surrogate pair, which is not a character"
    assert errors == [f"{what}: 'labels/\\udcff.txt'"]


@pytest.mark.parametrize("name", ["coco", "yolo"])
def test_an_annotation_file_is_read_alone(tmp_path: Path, name: str) -> None:
    files = {"coco": "annotations/{}.json", "yolo": "{}.yaml"}
    contents = {"coco": COCO, "yolo": "names: [cat]\ntrain: images"}
    write_image(tmp_path / "images/a.png")
    write_image(tmp_path / "images/b.png")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/a.txt").touch()
    for stem in ("one", "two"):
        file = tmp_path / files[name].format(stem)
        file.parent.mkdir(exist_ok=True)
        file.write_text(contents[name])
    file.write_text(contents[name].replace("a.png", "b.png"))
    found = read_dataset(file)
    assert found.fetch_root() == tmp_path
    assert found.table["image"].tolist()[-1] == "images/b.png"
    assert read_dataset(file, name).fingerprint == found.fingerprint


@pytest.mark.parametrize("name", ["cvat", "label-studio", "tf-csv", "imagefolder"])
def test_an_annotation_file_of_a_tool_is_read_alone(tmp_path: Path, name: str) -> None:
    write_files(tmp_path, name)
    file = tmp_path / next(iter(FILES[name]))
    found = read_dataset(file)
    assert found.table["image_error"].isna().all()
    assert read_dataset(file, name).fingerprint == found.fingerprint


def test_a_file_of_a_split_keeps_the_split_of_its_folder(tmp_path: Path) -> None:
    write_files(tmp_path, "coco")
    assert read_dataset(tmp_path / "train/_annotations.coco.json").table["split"].tolist() == ["train"]


def test_a_file_that_is_no_data_set_names_the_folder_that_is_one(tmp_path: Path) -> None:
    write_files(tmp_path, "voc")
    with pytest.raises(DatasetError, match=f"is a file that is no data set by itself; give the folder .*, {tmp_path}$"):
        read_dataset(tmp_path / "train/a.xml")
