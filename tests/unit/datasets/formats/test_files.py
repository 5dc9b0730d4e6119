"""Annotation files that cannot be read: the error carries the line and the problem as attributes."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from florence2.datasets.formats.files import read_bytes, read_json, read_text
from florence2.errors import AnnotationFileError, DatasetError


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        (b'{"a": 1,\n"b": 2,\n"c" 3}', 3, "not valid JSON, expecting ':' at column 5"),
        (b'{"a": 1,\n"b": "\xff"}', 2, "byte 16 of the file is not valid UTF-8"),
        (b"[" * 100_000, 0, "not valid JSON"),
    ],
)
def test_the_error_carries_its_line(tmp_path: Path, content: bytes, line: int, problem: str) -> None:
    # The name looks like a position itself: nothing may be read out of the text.
    file = "a:7: b.json"
    (tmp_path / file).write_bytes(content)
    with pytest.raises(AnnotationFileError) as caught:
        list(read_json(tmp_path, file, 1_000_000))
    assert (caught.value.file, caught.value.line) == (tmp_path / file, line)
    assert caught.value.problem.startswith(problem)
    position = f"{tmp_path / file}:{line}" if line else str(tmp_path / file)
    assert str(caught.value) == f"{position}: {caught.value.problem}"


def test_a_file_as_a_whole_has_no_line(tmp_path: Path) -> None:
    (tmp_path / "large.txt").write_bytes(b"12345")
    (tmp_path / "dead.txt").symlink_to(tmp_path / "nothing")
    for file, problem in (("large.txt", "cannot be read"), ("dead.txt", "is a symbolic link to nothing")):
        with pytest.raises(DatasetError) as caught:
            read_text(tmp_path, file, 4)
        assert isinstance(caught.value, AnnotationFileError)
        assert caught.value.line == 0
        assert caught.value.problem.startswith(problem)
    with pytest.raises(FileNotFoundError):
        read_bytes(tmp_path, "none.txt", 4)


def test_the_error_goes_from_process_to_process() -> None:
    error = pickle.loads(pickle.dumps(AnnotationFileError("a.json", "not valid JSON", 3)))
    assert (str(error), error.line, error.problem) == ("a.json:3: not valid JSON", 3, "not valid JSON")
