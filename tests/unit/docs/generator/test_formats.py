"""The page of the formats."""

from __future__ import annotations

from docs.generator.formats import formats_page
from florence2.datasets.formats.registry import FORMATS


def test_every_format_has_its_line() -> None:
    lines = formats_page().splitlines()
    for name, format in FORMATS.items():
        (line,) = [line for line in lines if line.startswith(f"| `{name}` |")]
        assert format.files.replace("*", "\\*") in line
        assert line.endswith("| read and written |") == (format.writer is not None)
