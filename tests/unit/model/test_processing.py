"""What the model reads: questions with and without their image, and answers and prompts that do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from florence2.config import ModelConfig
from florence2.datasets.formats import read_dataset
from florence2.errors import DatasetError
from florence2.model.base import load_base
from florence2.model.florence import Florence2
from florence2.model.processing import check_answers_fit, check_prompts_fit
from tests.builders import manifest, write_scenes


@pytest.fixture(scope="module")
def nano() -> Florence2:
    return load_base(ModelConfig(base="builtin:nano"))


def test_answers_that_would_be_cut_are_named_by_file_and_line(nano: Florence2, tmp_path: Path) -> None:
    rows = read_dataset(write_scenes(tmp_path, train=2)).select("train")
    check_answers_fit(rows, nano, 1024)
    with pytest.raises(DatasetError, match=r"2 answers are longer than 7 tokens.*\n  train/annotations.jsonl:1: \d+"):
        check_answers_fit(rows, nano, 7)


def test_questions_that_do_not_fit_are_named_by_file_and_line(nano: Florence2) -> None:
    short, long = "<VQA>what is it?", "<VQA>" + "what is it? " * 400
    check_prompts_fit(manifest({"prefix": short, "task": "<VQA>"}), nano)
    with pytest.raises(DatasetError, match=r"1 prompts .* longer than 1024 tokens.*\n  train/annotations.jsonl:2: \d+"):
        check_prompts_fit(manifest({"prefix": short}, {"prefix": long}), nano)
