"""The problems of files are collected, and reported together."""

from __future__ import annotations

from pathlib import Path

import pytest

from florence2.datasets import BadValueError
from florence2.errors import DatasetError
from florence2.evaluation.scoring.files import FileProblems, id_of, walk_file, walk_lines


def test_problems_are_in_the_order_of_lines_and_the_first_twenty_are_listed() -> None:
    problems, file = FileProblems(), Path("a.json")
    for line in range(25, 0, -1):
        problems.add(file, line, "wrong")
    assert problems.concern(file)
    assert not problems.concern(Path("b.json"))
    with pytest.raises(DatasetError) as raised:
        problems.raise_for_any()
    listed = str(raised.value).splitlines()
    assert listed[0] == "25 problems; nothing was scored:"
    assert listed[1:3] == ["  a.json:1: wrong", "  a.json:2: wrong"]
    assert listed[-1] == "  ... and 5 more"


def test_without_problems_nothing_is_raised() -> None:
    FileProblems().raise_for_any()


def test_objects_are_walked_with_their_lines_and_others_are_problems(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('[\n{"id": 1},\n7,\n{"id": 2}\n]')
    problems = FileProblems()
    assert list(walk_file(file, "[", problems)) == [("", {"id": 1}, 2), ("", {"id": 2}, 4)]
    with pytest.raises(DatasetError, match=r"a\.json:3: 7 is not a JSON object"):
        problems.raise_for_any()


def test_an_empty_file_of_lines_is_a_problem(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.touch()
    problems = FileProblems()
    assert list(walk_lines(file, problems)) == []
    with pytest.raises(DatasetError, match=r"a\.jsonl: is empty; it must hold a JSON object on each line"):
        problems.raise_for_any()


@pytest.mark.parametrize(
    ("part", "message"), [({}, "no 'id'"), ({"id": True}, "not a whole number"), ({"id": 3}, "not one of the images")]
)
def test_an_id_is_a_known_number_or_text(part: dict[str, object], message: str) -> None:
    assert id_of({"id": "a"}, "id", {"a": 1}) == "a"
    with pytest.raises(BadValueError, match=message):
        id_of(part, "id", {1: 1}, "images")
