"""CSV tables with the line of each row."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from florence2.datasets.formats.tables import read_table
from florence2.errors import AnnotationFileError


def test_rows_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b'\xef\xbb\xbf A ;b\r\n1; 2 \r\n\r\n"x\ny;z"\r\nlast;\r\n')
    assert list(read_table(tmp_path, "a.csv", 1000)) == [
        ({"a": "1", "b": "2"}, 2),
        ({"a": "x\ny;z", "b": ""}, 4),
        ({"a": "last", "b": ""}, 6),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,A\n", "a.csv:1: two columns have the same name"),
        (b"a,b\n1,2,3\n", "a.csv:2: the row has 3 values, the header 2"),
        (b'a\n1\n"x\n', "a.csv:3: not valid CSV"),
        (b"a\n" + b"x" * 200_000, "a.csv:2: not valid CSV (field larger than field limit"),
        (b"a\n\xff\n", "a.csv:2: byte 3 of the file is not valid UTF-8"),
    ],
)
def test_what_is_no_table(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(AnnotationFileError, match=re.escape(message)):
        list(read_table(tmp_path, "a.csv", 1_000_000))
