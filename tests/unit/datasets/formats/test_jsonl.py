"""The JSONL reader: it reads every line it can and says of the others what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from florence2.datasets.formats import read_dataset
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import DatasetError
from tests.builders import annotation, write_dataset, write_image, write_lines


def read_lines(root: Path, *lines: Mapping[str, object] | str | bytes) -> DatasetManifest:
    """Read a data set of these lines without splits, with one image a.png."""
    write_image(root / "a.png")
    write_lines(root / "annotations.jsonl", lines)
    return read_dataset(root)


def test_reads_the_splits_in_order(tmp_path: Path) -> None:
    write_dataset(
        tmp_path, {"test": [annotation()], "val": [annotation("b.png"), annotation()], "Train": [annotation()]}
    )
    found = read_dataset(tmp_path)
    assert found.fetch_root() == tmp_path
    assert found.table["split"].tolist() == ["train", "valid", "valid", "test"]
    assert found.table["image"].tolist() == ["Train/a.png", "val/b.png", "val/a.png", "test/a.png"]
    assert found.table["file"].tolist()[1] == "val/annotations.jsonl"
    assert found.table["line"].tolist() == [1, 1, 2, 1]
    first = found.table.iloc[0]
    assert (first["task"], first["width"], first["height"], len(first["sha256"])) == ("<OD>", 20, 10, 64)
    assert found.table[["line_error", "image_error"]].isna().all(axis=None)
    assert (found.fetch_root() / first["image"]).is_file()


def test_reads_a_folder_without_splits(tmp_path: Path) -> None:
    write_dataset(tmp_path, {"": [annotation(prefix="<VQA>who?", suffix="me")]})
    row = read_dataset(tmp_path).table.iloc[0]
    assert (row["split"], row["image"], row["task"], row["file"]) == ("", "a.png", "<VQA>", "annotations.jsonl")


def test_blank_lines_bom_crlf_and_separators_inside_texts(tmp_path: Path) -> None:
    good = json.dumps(annotation(prefix="<VQA>a\u2028b?", suffix="été \x85"), ensure_ascii=False).encode()
    found = read_lines(tmp_path, b"\xef\xbb\xbf" + good + b"\r", b"", b"  \r", good)
    assert found.table["line"].tolist() == [1, 4]
    assert found.table["prefix"].tolist() == ["<VQA>a\u2028b?"] * 2
    assert found.table["line_error"].isna().all()


def text_of(table: pd.DataFrame, column: str, position: int) -> str:
    """Return a cell as text, empty for NA."""
    return str(table[column].fillna("").iloc[position])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"image": "a.png", "prefix": "<OD>"', "not valid JSON"),
        ("[1, 2]", "not a JSON object: [1, 2]"),
        ('"text"', "not a JSON object"),
        ("null", "not a JSON object: None"),
        ('{"image": "a.png"}', "no key 'prefix'; no key 'suffix'"),
        ('{"image": "a.png", "prefix": "<OD>", "suffix": "x", "sufix": 1}', "unknown key 'sufix'"),
        ('{"image": 3, "prefix": "<OD>", "suffix": null}', "'image' is 3, not a text; 'suffix' is None, not a text"),
        ('{"image": "", "prefix": "<OD>", "suffix": "x"}', "'image' is empty"),
        ('{"image": "a\\nb.png", "prefix": "<OD>", "suffix": "x"}', "line break or another control character"),
        ('{"image": "a\\u0000.png", "prefix": "<OD>", "suffix": "x"}', "line break or another control character"),
        ('{"image": "a.png", "image": "b.png", "prefix": "<OD>", "suffix": "x"}', "the key 'image' occurs twice"),
        ('{"image": "a.png", "prefix": "<OD>", "suffix": "\\ud800"}', "surrogate"),
        (b'{"image": "a.png", "prefix": "<OD>", "suffix": "\xff"}', "not valid UTF-8 at byte 49"),
        ("[" * 100_000, "not valid JSON"),
        ("1" * 5000, "not valid JSON"),
        ("\x00", "not valid JSON"),
    ],
)
def test_an_unreadable_line_is_a_row_with_its_error(tmp_path: Path, line: str | bytes, message: str) -> None:
    found = read_lines(tmp_path, annotation(), line).table
    assert found["line"].tolist() == [1, 2]
    assert text_of(found, "line_error", 0) == ""
    problem, _, example = text_of(found, "line_error", 1).partition("; a line is ")
    assert message in problem
    assert len(problem) < 300
    assert example == '{"image": "a.png", "prefix": "<OD>", "suffix": "..."}'
    assert found["image_error"].isna().all()


@pytest.mark.parametrize("name", ["../x.png", "sub/../../x.png", "/etc/passwd", ".."])
def test_an_image_outside_is_an_error_of_the_row(tmp_path: Path, name: str) -> None:
    write_image(tmp_path / "x.png")
    found = read_lines(tmp_path / "set", annotation(name)).table
    assert text_of(found, "image_error", 0) == "outside: leads out of the data set's folder"
    assert found["sha256"].tolist() == [""]


def test_images_may_lie_in_another_folder_of_the_set(tmp_path: Path) -> None:
    write_image(tmp_path / "images/a.png")
    write_lines(tmp_path / "train/annotations.jsonl", [annotation("../images/a.png"), annotation("./none.png")])
    found = read_dataset(tmp_path).table
    assert found["image"].tolist() == ["images/a.png", "train/none.png"]
    assert [text_of(found, "image_error", row) for row in (0, 1)] == ["", "missing: no such file"]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=80)
    | st.dictionaries(st.text(max_size=8), st.text(max_size=8)).map(lambda d: json.dumps(d).encode())
)
def test_any_bytes_give_rows_or_the_projects_own_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "annotations.jsonl").write_bytes(content)
    try:
        assert len(read_dataset(tmp_path)) > 0
    except DatasetError:
        assert not content.removeprefix(b"\xef\xbb\xbf").strip(b" \t\r\n")


@pytest.mark.parametrize("line", ["\x1c", "\x0c", "\u2003"])
def test_a_line_of_invisible_characters_is_reported(tmp_path: Path, line: str) -> None:
    (tmp_path / "annotations.jsonl").write_text(line + "\n")
    assert "not valid JSON" in text_of(read_dataset(tmp_path).table, "line_error", 0)


def test_a_missing_folder_and_a_file(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"nowhere: no such folder; give the folder .* train/annotations\.jsonl"):
        read_dataset(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="is a file"):
        read_dataset(tmp_path / "file")


def test_no_annotations_names_what_is_there(tmp_path: Path) -> None:
    write_image(tmp_path / "images/a.png")
    (tmp_path / "labels.csv").touch()
    with pytest.raises(
        DatasetError, match=r"no annotations\.jsonl found; it must hold .*; it holds images/, labels\.csv"
    ):
        read_dataset(tmp_path, "jsonl")


def test_a_split_with_images_needs_annotations(tmp_path: Path) -> None:
    write_dataset(tmp_path)
    (tmp_path / "valid/annotations.jsonl").unlink()
    with pytest.raises(DatasetError, match=r"valid: holds images such as a\.png but no annotations\.jsonl"):
        read_dataset(tmp_path)


def test_no_rows_at_all(tmp_path: Path) -> None:
    write_lines(tmp_path / "train/annotations.jsonl", ["", "  "])
    with pytest.raises(DatasetError, match=r"no annotation in train/annotations\.jsonl"):
        read_dataset(tmp_path)


def test_a_folder_with_annotations_that_is_no_split_is_named(tmp_path: Path) -> None:
    root = write_dataset(tmp_path, {"train": [annotation()], "dev": [annotation()]})
    with pytest.raises(
        DatasetError, match=r"dev: holds annotations.jsonl but is not a split; name it train, valid or test"
    ):
        read_dataset(root)


def test_reads_one_folder_for_all_splits(tmp_path: Path) -> None:
    for name in ("train", "valid", "test"):
        write_image(tmp_path / f"{name}.png")
        write_lines(tmp_path / f"_annotations.{name}.jsonl", [annotation(f"{name}.png")])
    found = read_dataset(tmp_path)
    assert found.table["split"].tolist() == ["train", "valid", "test"]
    assert found.table["image"].tolist() == ["train.png", "valid.png", "test.png"]
    assert found.table["file"].tolist()[0] == "_annotations.train.jsonl"
    assert found.table["image_error"].isna().all()


def test_a_line_that_is_too_long_is_passed_over_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("florence2.datasets.formats.json_lines._LONGEST_LINE", 200)
    found = read_lines(tmp_path, annotation(), "x" * 1000, annotation(), "y" * 201, "z" * 200).table
    assert found["line"].tolist() == [1, 2, 3, 4, 5]
    assert ["longer than" in text_of(found, "line_error", row) for row in range(5)] == [False, True, False, True, True]


def test_a_file_that_ends_within_a_line_is_reported(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png")
    whole = json.dumps(annotation()).encode()
    (tmp_path / "annotations.jsonl").write_bytes(whole + b"\n" + whole[:30])
    found = read_dataset(tmp_path).table
    assert text_of(found, "line_error", 0) == ""
    assert text_of(found, "line_error", 1).partition("; a line is")[0].endswith("the file ends within the line")
