"""The YOLO reader: data.yaml of any machine, label files with boxes and polygons, and what is wrong in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from florence2.datasets.formats import read_dataset
from florence2.errors import DatasetError
from tests.builders import write_image

YAML = "names: [cat, dog]\nnc: 2\ntrain: train/images\nval: valid/images\n"
CAT = "cat<loc_100><loc_100><loc_600><loc_600>"
BOX = "0 0.35 0.35 0.5 0.5"


def write(root: Path, file: str, content: str | bytes) -> None:
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_bytes(content if isinstance(content, bytes) else content.encode())


def rows(root: Path) -> list[dict[str, Any]]:
    table = read_dataset(root).table.astype(object)
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def images_and_answers(root: Path) -> list[tuple[str, str, str]]:
    return [(row["split"], row["image"], row["suffix"]) for row in rows(root)]


def one_row(root: Path, labels: str | bytes) -> dict[str, Any]:
    """Read a set of one image with these labels."""
    write(root, "data.yaml", YAML.replace("val: valid/images\n", ""))
    write(root, "train/labels/a.txt", labels)
    write_image(root / "train/images/a.png")
    (row,) = rows(root)
    return row


def test_boxes_and_polygons_in_one_file(tmp_path: Path) -> None:
    row = one_row(tmp_path, f"{BOX}\r\n\n1.0 0.1 0.2 0.3 0.2 0.2 0.4\n")
    assert row["suffix"] == f"{CAT}dog<loc_100><loc_200><loc_300><loc_400>"
    assert (row["file"], row["line"], row["box_lines"]) == ("train/labels/a.txt", 1, "1 3")


def test_a_byte_order_mark_is_no_number(tmp_path: Path) -> None:
    assert one_row(tmp_path, b"\xef\xbb\xbf" + BOX.encode())["suffix"] == CAT


def test_what_is_rounded_to_six_decimals_does_not_leave_the_image(tmp_path: Path) -> None:
    assert one_row(tmp_path, "0 0.749219 0.25 0.501563 0.500001")["suffix"] == "cat<loc_498><loc_0><loc_999><loc_500>"
    assert one_row(tmp_path, "0 0.75 0.25 1.5 0.5")["suffix"] == "cat<loc_0><loc_0><loc_1500><loc_500>"


def test_no_label_file_and_an_empty_one_mean_nothing_on_the_image(tmp_path: Path) -> None:
    write(tmp_path, "data.yaml", "names: [cat]\ntrain: train/images\n")
    write(tmp_path, "train/labels/a.txt", "")
    write_image(tmp_path / "train/images/a.png")
    write_image(tmp_path / "train/images/b.png")
    assert images_and_answers(tmp_path) == [("train", "train/images/a.png", ""), ("train", "train/images/b.png", "")]
    assert [row["box_lines"] for row in rows(tmp_path)] == ["", ""]


@pytest.mark.parametrize("source", ["train/images", "train", "images/train", "images", "."])
def test_a_label_file_without_an_image_points_at_the_image_that_is_missing(tmp_path: Path, source: str) -> None:
    write(tmp_path, "data.yaml", f"names: [cat, dog]\ntrain: {source}\n")
    folder = "train/images" if source in ("train", ".") else source
    labels = folder.replace("images", "labels")
    write_image(tmp_path / folder / "a.png")
    write(tmp_path, f"{labels}/a.txt", BOX)
    write(tmp_path, f"{labels}/deep/b.txt", BOX)
    write(tmp_path, f"{labels}/classes.txt", "cat\ndog\n")
    write(tmp_path, "notes.txt", "a text that is not a label file")
    good, orphan = rows(tmp_path)
    assert (good["image"], good["image_error"]) == (f"{folder}/a.png", None)
    assert (orphan["file"], orphan["image"]) == (f"{labels}/deep/b.txt", f"{folder}/deep/b.jpg")
    assert (orphan["split"], orphan["suffix"], orphan["line_error"]) == (good["split"], CAT, None)
    assert orphan["image_error"].startswith("missing")


@pytest.mark.parametrize("train", ["train/images", "train.txt"])
def test_a_split_without_any_label_file_is_refused(tmp_path: Path, train: str) -> None:
    write(tmp_path, "data.yaml", f"names: [cat]\ntrain: {train}\nval: valid/images\n")
    write(tmp_path, "train.txt", "train/images/a.png\n")
    write(tmp_path, "train/Labels/a.txt", BOX)
    write(tmp_path, "valid/labels/b.txt", BOX)
    write_image(tmp_path / "train/images/a.png")
    write_image(tmp_path / "valid/images/b.png")
    message = r"data\.yaml: train has 1 image and no label file; expected 'train/labels/a\.txt'"
    with pytest.raises(DatasetError, match=message):
        read_dataset(tmp_path)


def test_a_folder_of_images_that_is_a_link_inside_is_read(tmp_path: Path) -> None:
    write(tmp_path, "data.yaml", "names: [cat]\ntrain: train/images\n")
    write_image(tmp_path / "pool/one/a.png")
    write(tmp_path, "train/labels/a.txt", BOX)
    write(tmp_path, "train/labels/b.txt", BOX)
    (tmp_path / "train/images").symlink_to("../pool/one")
    assert images_and_answers(tmp_path) == [("train", "pool/one/a.png", CAT), ("train", "train/images/b.jpg", CAT)]
    assert read_dataset(tmp_path).images["image"].tolist() == ["pool/one/a.png", "train/images/b.jpg"]


def test_a_linked_folder_within_the_images_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "data.yaml", "names: [cat]\ntrain: train\n")
    write_image(tmp_path / "pool/a.png")
    write_image(tmp_path / "train/x/images/b.png")
    write(tmp_path, "train/x/labels/b.txt", BOX)
    (tmp_path / "train/images").symlink_to("../pool")
    with pytest.raises(DatasetError, match=r"train/images: is a symbolic link to a folder; .* name it in data\.yaml"):
        read_dataset(tmp_path)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("2 0.5 0.5 0.1 0.1", "the class in line 2 is '2', but data.yaml names 0 to 1"),
        ("-1 0.5 0.5 0.1 0.1", "the class in line 2 is '-1'"),
        ("0.5 0.5 0.5 0.1 0.1", "the class in line 2 is '0.5'"),
        ("cat 0.5 0.5 0.1 0.1", "the class in line 2 is 'cat', not a finite number"),
        ("0 0.5 0.5 0.1", "line 2 has 4 numbers"),
        ("0 0.5 0.5 0.1 0.1 0.9", "line 2 has 6 numbers"),
        ("0 0.5 nan 0.1 0.1", "a number in line 2 is 'nan', not a finite number"),
        ("0 0.5 1e400 0.1 0.1", "a number in line 2 is '1e400', not a finite number"),
        (b"0 0.5 \xff 0.1 0.1", "not numbers"),
        (b"0 0.5 \0 0.1 0.1", "not a finite number"),
    ],
)
def test_a_bad_label_stands_in_the_row_of_its_image(tmp_path: Path, labels: str | bytes, message: str) -> None:
    row = one_row(tmp_path, BOX.encode() + b"\n" + (labels if isinstance(labels, bytes) else labels.encode()))
    assert message in row["line_error"]
    assert (row["file"], row["line"], row["image"]) == ("train/labels/a.txt", 2, "train/images/a.png")


@pytest.mark.parametrize(
    ("yaml", "expected"),
    [
        ("train: /Users/x/sharks/train/images", "train/images/a.png"),
        ("train: 'C:\\data\\sharks\\train\\images'", "train/images/a.png"),
        ("train: ../train/images", "train/images/a.png"),
        ("train: [train/images]", "train/images/a.png"),
        ("train: train", "train/images/a.png"),
        ("path: ../datasets/sharks\ntrain: train/images", "train/images/a.png"),
        ("path: /datasets/deep\ntrain: images/train", "deep/images/train/a.png"),
        ("train: lists/train.txt", "train/images/a.png"),
    ],
)
def test_paths_of_another_machine(tmp_path: Path, yaml: str, expected: str) -> None:
    write(tmp_path, "data.yaml", f"names: {{0: cat, 1: dog}}\n{yaml}\nval:\ntest: null\n")
    write(tmp_path, "lists/train.txt", "./../train/images/a.png\n")
    write_image(tmp_path / expected)
    write(tmp_path, expected.replace("images", "labels").replace(".png", ".txt"), BOX)
    assert images_and_answers(tmp_path) == [("train", expected, CAT)]


def test_a_list_of_images_may_name_what_is_not_there(tmp_path: Path) -> None:
    write(tmp_path, "data.yaml", "names: [cat]\ntrain: train.txt\n")
    write(tmp_path, "train.txt", "/home/x/images/a.png\nimages/none.png\n\n../../x.png\na\0b.png\n")
    write_image(tmp_path / "images/a.png")
    write(tmp_path, "labels/a.txt", BOX)
    first, second, third, fourth = rows(tmp_path)
    assert (first["image"], first["suffix"]) == ("images/a.png", CAT)
    assert (second["image"], second["file"], second["line"]) == ("images/none.png", "train.txt", 2)
    assert second["image_error"].startswith("missing") and third["image_error"].startswith("outside")
    assert (fourth["line"], "control character" in fourth["line_error"]) == (5, True)


def test_without_splits_every_image_is_read(tmp_path: Path) -> None:
    write(tmp_path, "my.yml", "names:\n- 'no'\n- on\n")
    write_image(tmp_path / "images/a.png")
    write(tmp_path, "labels/a.txt", f"1{BOX[1:]}\n0{BOX[1:]}")
    assert images_and_answers(tmp_path) == [("", "images/a.png", CAT.replace("cat", "on") + CAT.replace("cat", "no"))]


def test_a_split_that_is_not_there_is_left_out_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path, "data.yaml", YAML)
    write_image(tmp_path / "train/images/a.png")
    write(tmp_path, "train/labels/a.txt", BOX)
    assert [row["split"] for row in rows(tmp_path)] == ["train"]
    assert "val: valid/images does not exist and is left out" in caplog.text


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("names: [cat\n", "not valid YAML"),
        ("names:\n" + "[\n" * 3000, "not valid YAML"),
        ('names: ["\\U00110000"]', "not valid YAML"),
        ("names: &a [*a]", "not valid YAML"),
        ("names: 3", "names is '3'; write names:"),
        ("names: []", "names is"),
        ("names: [[cat]]", r"a class name is \['cat'\], not a text"),
        ('names: ["\\ud800"]', "half of a surrogate pair"),
        ("names: {1: cat}", r"names has the keys \['1'\], not 0 to 0"),
        ("names: [cat]\nnc: 2", "nc is '2', but there are 1 names"),
        ("names: [cat]\ntrain: {a: b}", "train is {'a': 'b'}; write the path"),
        ("names: [cat]\ntrain: nowhere", "train: nowhere does not exist"),
        ("names: [cat]", "there is no image in the folders that it names; the data set holds data.yaml"),
        ("names: [cat]\0", "not valid YAML"),
        ("names: [a, a]\n" + "#" * (1 << 18), "at most 262144 are read"),
    ],
)
def test_a_data_yaml_that_cannot_be_used_is_refused(tmp_path: Path, yaml: str, message: str) -> None:
    write(tmp_path, "data.yaml", yaml)
    with pytest.raises(DatasetError, match=message):
        read_dataset(tmp_path, "yolo")


def test_aliases_do_not_explode(tmp_path: Path) -> None:
    levels = "\n".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]" for n in range(1, 30))
    write(tmp_path, "data.yaml", f"x0: &x0 [a]\n{levels}\nnames: *x29\n")
    with pytest.raises(DatasetError, match="a class name is"):
        read_dataset(tmp_path)


def test_two_files_that_name_classes(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "names: [cat]")
    write(tmp_path, "b.yaml", "names: [cat]")
    with pytest.raises(DatasetError, match=r"a\.yaml and b\.yaml both name classes; leave one of them"):
        read_dataset(tmp_path)
