"""Names use one word for one thing: the words of docs/glossary.md, and none of those that they replaced."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests import ROOT

ROOMS = ("florence2", "pipelines", "steps", "materializers", "benchmarks", "pretraining", "docs", "tests")

INSTEAD_OF = {
    "picture": "image",
    "pictures": "images",
    "place": "path, location, index or cell",
    "places": "paths, locations, indices or cells",
    "figures": "scores; of matplotlib: plots",
    "ask": "request, or what the function does",
    "asks": "requests",
    "asked": "requested",
    "tell": "report",
    "tells": "reports",
    "told": "reported or expected",
    "hear": "receive",
    "hears": "receives",
    "heard": "received",
    "said": "reported",
    "dear": "expensive",
    "apart": "isolated or separate",
    "bring": "fetch",
    "brings": "fetches",
    "brought": "fetched",
    "sheet": "grid",
    "came": "added",
    "went": "removed",
    "beside": "next to, or what the thing is",
    "nobody": "none, or who is missing",
    "road": "path",
    "judge": "evaluator or evaluate",
    "judges": "evaluates",
    "judged": "evaluated",
    "look": "probe, scan or check",
    "looks": "probes, scans or checks",
    "looked": "probed, scanned or checked",
}
"""Words that no name has as a part, each with what to write. A word that is wrong in one sense only is not here."""

PHRASES = {"at_once": "chunk or batch size", "put_away": "close", "by_itself": "leave it out"}
"""Several parts in a row that no name has."""

ALLOWED = {("pipelines/predict.py", "pictures"): "the earlier name of a parameter, which users' files still have"}
"""File and name of what must keep such a word, with the reason."""


def test_names_use_the_words_of_the_glossary() -> None:
    wrong = {file: sorted(found) for file in modules() if (found := misnamed(file))}
    assert not wrong, "\n".join(f"{file}: {', '.join(names)}" for file, names in wrong.items())


def test_the_glossary_is_sorted_and_short() -> None:
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    terms = re.findall(r"^\| ([a-z ]+) \| ", page, re.MULTILINE)[1:]
    assert terms == sorted(set(terms))
    assert 30 < len(terms) <= 40
    assert not [term for term in terms if banned_word(term.replace(" ", "_"))]


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("by_place", "place"),
        ("ValidationJudge", "judge"),
        ("_ROWS_AT_ONCE", "at_once"),
        ("test_it_is_told", "told"),
        ("figures", "figures"),
    ],
)
def test_a_banned_word_is_found_as_a_part_of_a_name(name: str, word: str) -> None:
    assert banned_word(name) == word


@pytest.mark.parametrize("name", ["placement", "replace", "figure", "broadcast", "task", "in_place"])
def test_a_word_that_only_holds_the_letters_is_none(name: str) -> None:
    assert banned_word(name) is None


def test_names_of_every_kind_are_read() -> None:
    source = """
class A(B):
    c: int = 1
    def d(self, e, *f, **g): self.h = 1
for i, (j, k) in x:
    import l.m as n
    with o as p: (q := r)
"""
    assert set(names(ast.parse(source))) == {*"Acdefghijknpq", "self"}


def modules() -> list[str]:
    """Return the paths of all modules, from the root of the repository."""
    return sorted(str(path.relative_to(ROOT)) for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def misnamed(file: str) -> set[str]:
    """Return the names in a module that have a banned word; its own name is one of them."""
    path = ROOT / file
    found = {*names(ast.parse(path.read_text(encoding="utf-8"))), path.stem}
    return {name for name in found if banned_word(name) and (file, name) not in ALLOWED}


def banned_word(name: str) -> str | None:
    """Return the first banned word or phrase of a name in snake_case or CamelCase."""
    parts = [part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]
    joined = f"_{'_'.join(parts)}_".replace("_in_place_", "_")
    found = [word for word in (*INSTEAD_OF, *PHRASES) if f"_{word}_" in joined]
    return found[0] if found else None


def names(tree: ast.Module) -> Iterator[str]:
    """Yield every name that a module gives: classes, functions, parameters, variables, attributes."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
            case ast.alias(asname=str(name)) | ast.ExceptHandler(name=str(name)):
                yield name
