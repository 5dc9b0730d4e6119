"""The example easy-VQA: a sample for each question."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from florence2.datasets.formats.recognition import read_dataset, recognise
from florence2.errors import DatasetError
from tests.builders import write_image


def write_questions(root: Path, split: str, *questions: Any) -> None:
    write_image(root / split / "images/7.png")
    (root / split / "questions.json").write_text("[" + ",\n".join(map(json.dumps, questions)) + "]")


def test_reads_a_row_for_each_question(tmp_path: Path) -> None:
    write_questions(tmp_path, "test", ["is it red?", "no", 7])
    write_questions(tmp_path, "train", ["what shape?", "circle", 7], ["which?", "this", "7"])
    assert recognise(tmp_path) == (tmp_path, "easy-vqa")
    manifest = read_dataset(tmp_path)
    columns = ["split", "image", "task", "prefix", "suffix", "line"]
    assert manifest.table[columns].to_numpy().tolist() == [
        ["train", "train/images/7.png", "<VQA>", "<VQA>what shape?", "circle", 1],
        ["train", "train/images/7.png", "<VQA>", "<VQA>which?", "this", 2],
        ["test", "test/images/7.png", "<VQA>", "<VQA>is it red?", "no", 1],
    ]
    assert manifest.splits == ("train", "test")
    assert manifest.table[["line_error", "image_error", "box_lines"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (["who?", "me"], "is not [question, answer, number of the image]"),
        ("who?", "is not [question, answer, number of the image]"),
        (["who?", 3, 7], "the answer is 3, not a text"),
        (["\ud800", "me", 7], "half of a surrogate pair"),
        (["who?", "me", None], "the image is None, not a text"),
        (["who?", "me", True], "the image is True, not a text"),
        (["who?", "me", "a\nb"], "line break"),
    ],
)
def test_a_bad_question_is_a_row_with_its_error(tmp_path: Path, question: Any, message: str) -> None:
    write_questions(tmp_path, "train", ["what?", "it", 7], question)
    table = read_dataset(tmp_path).table
    assert message in table["line_error"].iloc[1]
    assert (len(table), table["line"].iloc[1]) == (2, 2)


def test_an_image_outside_is_not_touched(tmp_path: Path) -> None:
    write_questions(tmp_path / "set", "train", ["what?", "it", "../../../x"])
    write_image(tmp_path / "x.png")
    assert read_dataset(tmp_path / "set").table["image_error"].iloc[0].startswith("outside")


def test_no_question_at_all(tmp_path: Path) -> None:
    write_questions(tmp_path, "train")
    with pytest.raises(DatasetError, match=r"no sample in train/questions\.json"):
        read_dataset(tmp_path)
    with pytest.raises(DatasetError, match=r"no annotations found; it must hold train/questions\.json"):
        read_dataset(tmp_path / "train/images", "easy-vqa")
