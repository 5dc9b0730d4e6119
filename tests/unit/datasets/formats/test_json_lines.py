"""Lines of JSON, whatever else a file holds."""

from __future__ import annotations

import io

import pytest

from florence2.datasets.formats import json_lines
from florence2.datasets.formats.json_lines import bounded_lines, parse_object
from florence2.datasets.formats.values import BadValueError


def test_only_a_line_feed_ends_a_line_and_the_byte_order_mark_is_dropped() -> None:
    content = '\ufeff{"a": "x\u2028y"}\r\n\n{"b": 1}'.encode()
    lines = list(bounded_lines(io.BytesIO(content)))
    assert [parse_object(line) for line in lines] == [{"a": "x\u2028y"}, None, {"b": 1}]


def test_the_rest_of_a_line_that_is_too_long_is_not_another_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "_LONGEST_LINE", 20)
    long, short = bounded_lines(io.BytesIO(b'{"a": "' + b"x" * 100 + b'"}\n{}\n'))
    assert parse_object(short) == {}
    with pytest.raises(BadValueError, match="longer than"):
        parse_object(long)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"a": 1, "a": 2}\n', "the key 'a' occurs twice"),
        (b"[1]\n", "not a JSON object: [1]"),
        (b'{"a": \xff}\n', "not valid UTF-8 at byte 7"),
        (b'{"a": 1', "; the file ends within the line"),
        (b"\x0c\n", "not valid JSON"),
    ],
)
def test_what_is_no_object_is_described(line: bytes, message: str) -> None:
    with pytest.raises(BadValueError) as caught:
        parse_object(line)
    assert message in str(caught.value)
