"""How many lines of code a package has, without docstrings, comments and empty lines.

``python -m docs.generator.code_lines FOLDER`` prints the number, also of a tree that was checked out elsewhere.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from pathlib import Path

__all__ = ["code_lines", "code_lines_of"]

_NO_CODE = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}


def code_lines(folder: Path) -> int:
    """Return the lines of code of all modules and stubs below a folder."""
    files = [file for pattern in ("*.py", "*.pyi") for file in folder.rglob(pattern)]
    return sum(code_lines_of(file.read_text(encoding="utf-8")) for file in files)


def code_lines_of(source: str) -> int:
    """Return the lines of a module that have code. A text that is a statement of its own documents something."""
    code = set[int]()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE:
            code.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            code.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(code)


if __name__ == "__main__":
    print(code_lines(Path(sys.argv[1])))
