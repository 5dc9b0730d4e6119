"""The tables of ``architecture.md`` about the code: its rooms, what an addition edits, and its sizes.

``python -m docs.generator`` writes the first two, as it does with every page. ``python -m docs.generator.house`` writes
the sizes: it traces a small training, which takes about a minute.
"""

from __future__ import annotations

import ast
import textwrap
import tomllib
from pathlib import Path

from docs.generator.additions import ADDITIONS, Addition, files_naming, unit_tests_naming
from docs.generator.code_lines import code_lines
from docs.generator.markdown import escaped, table
from docs.generator.walk import Walk, take_walk

__all__ = ["additions_table", "architecture_page", "rooms_table", "size_tables", "sizes_page"]

_ROOT = Path(__file__).resolve().parents[2]
_PAGE = _ROOT / "docs" / "architecture.md"
_BEGIN, _END = "<!-- {}: made by `python -m docs.{}` -->\n", "<!-- end of {} -->\n"

_EARLIER_COMMIT = "d77b950"
_EARLIER_FILES, _EARLIER_RUN, _EARLIER_TYPES = 18, 50, 12
_EARLIER_LINES, _EARLIER_MIRRORED = 20_800, 25 / 258
"""What the same functions gave for the commit before the rooms.

``git archive d77b950 | tar x -C FOLDER``; then ``code_lines`` with FOLDER, and ``take_walk`` there,
with the names that its modules had.
"""


def architecture_page() -> str:
    """Return the page with the rooms, and with what an addition edits, as the code is now; the rest of it stays."""
    page = _PAGE.read_text(encoding="utf-8")
    for name, text in {"rooms": rooms_table(), "additions": additions_table()}.items():
        page = _with_block(page, name, text, "generator")
    return page


def sizes_page() -> str:
    """Return the page with the sizes of the code as it is now; the rest of it stays. A small training is traced."""
    return _with_block(_PAGE.read_text(encoding="utf-8"), "sizes", size_tables(take_walk()), "generator.house")


def _with_block(page: str, name: str, text: str, maker: str) -> str:
    begin, end = _BEGIN.format(name, maker), _END.format(name)
    before, after = page.split(begin)[0], page.split(end)[1]
    return f"{before}{begin}\n{text}\n{end}{after}"


def rooms_table() -> str:
    """Return the rooms of the library from the highest to the lowest, as the linter of imports has them."""
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (layers,) = (
        contract["layers"]
        for contract in project["tool"]["importlinter"]["contracts"]
        if contract.get("containers") == ["florence2"]
    )
    rooms = [(str(level), room) for level, layer in enumerate(layers, 1) for room in layer.split(" | ")]
    return table(["level", "room", "what is in it"], [[level, f"`{room}`", _purpose(room)] for level, room in rooms])


def _purpose(room: str) -> str:
    """Return the first line of the docstring of a room, which may be a single module."""
    path = _ROOT / "florence2" / room
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return escaped(docstring.splitlines()[0].replace("``", "`"))


def additions_table() -> str:
    """Return what an addition edits, in Markdown."""
    return table(
        ["to add", f"edits at {_EARLIER_COMMIT}", "edits", "files that name", "tests"], map(_addition, ADDITIONS)
    )


def size_tables(walk: Walk) -> str:
    """Return how far it is through the library, in Markdown.

    Args:
        walk: through the library as it is now.
    """
    lines = round(code_lines(_ROOT / "florence2"), -2)
    sizes = [
        ["files that an annotation passes on its way to the loss", str(_EARLIER_FILES), str(len(walk.files))],
        ["files with a function that runs meanwhile", str(_EARLIER_RUN), str(walk.run)],
        ["types between the logits and the decision", str(_EARLIER_TYPES), str(len(walk.types))],
        ["unit test files that mirror a module", f"{_EARLIER_MIRRORED:.0%}", f"{_mirrored():.0%}"],
        ["lines of code in `florence2`, rounded to hundreds", f"{_EARLIER_LINES:,}", f"{lines:,}"],
    ]
    return "\n".join(
        [
            table(["size", f"at {_EARLIER_COMMIT}", "now"], sizes),
            _sentence("From an annotation to the loss", walk.files),
            _sentence("From the logits to the decision", walk.types),
        ]
    )


def _addition(addition: Addition) -> list[str]:
    files, tests = files_naming(addition, _ROOT), unit_tests_naming(addition, _ROOT)
    return [
        addition.what,
        str(addition.earlier),
        str(len(files)),
        f"`{addition.member}`: {_shown(files, 'florence2/')}",
        _shown(tests, "tests/unit/") or "follow from the list",
    ]


def _shown(files: list[str], folder: str) -> str:
    return ", ".join(f"`{file.removeprefix(folder)}`" for file in files)


def _sentence(about: str, names: list[str]) -> str:
    text = f"{about}: {', '.join(f'`{name}`' for name in names)}."
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False) + "\n"


def _mirrored() -> float:
    """Return the share of unit test files that mirror a module."""
    tests = [path.relative_to(_ROOT / "tests/unit") for path in (_ROOT / "tests/unit").rglob("test_*.py")]
    names = [path.with_name(path.name.removeprefix("test_")) for path in tests]
    special = {"init.py": "__init__.py", "main.py": "__main__.py"}
    modules = [name.with_name(special.get(name.name, name.name)) for name in names]
    found = [any((folder / module).is_file() for folder in (_ROOT, _ROOT / "florence2")) for module in modules]
    return sum(found) / len(tests)


if __name__ == "__main__":
    _PAGE.write_text(sizes_page(), encoding="utf-8")
