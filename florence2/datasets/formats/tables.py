"""CSV tables with a header, a row at a time with its line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from florence2.datasets.formats.files import read_text
from florence2.errors import AnnotationFileError

__all__ = ["read_table"]


def read_table(root: Path, file: str, limit: int) -> Iterator[tuple[dict[str, str], int]]:
    """Yield the rows of a CSV file: the value of each column, and the line where the row begins, counted from 1.

    The names of columns are in lower case and without blanks around them; so are values without blanks around them.
    Blank rows are left out; what a short row lacks is empty. A comma, a semicolon or a tab separates values, whichever
    the header has most of.

    Args:
        root: folder of the data set.
        file: path relative to it.
        limit: most bytes that are read.

    Raises:
        FileNotFoundError: there is no such file.
        AnnotationFileError: it cannot be read, is larger than the limit, is not UTF-8 or not CSV, has a column twice,
            or a row has more values than the header.
    """
    text = read_text(root, file, limit)
    header = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count), strict=True)
    names: list[str] | None = None
    line = 1
    try:
        for values in rows:
            if names is None:
                names = [value.strip().lower() for value in values]
                if len(set(names)) < len(names):
                    raise AnnotationFileError(root / file, "two columns have the same name; rename one", line)
            elif len(values) > len(names):
                problem = f"the row has {len(values)} values, the header {len(names)}; put a text with commas in quotes"
                raise AnnotationFileError(root / file, problem, line)
            elif any(value.strip() for value in values):
                padded = [value.strip() for value in values] + [""] * (len(names) - len(values))
                yield dict(zip(names, padded, strict=True)), line
            line = rows.line_num + 1
    except csv.Error as exc:
        raise AnnotationFileError(root / file, f"not valid CSV ({exc}); export the file again", line) from exc
