from __future__ import annotations

import re

import pytest

from docs.generator.house import rooms_table, size_tables
from docs.generator.walk import Walk
from tests import ROOT


def test_every_room_of_the_library_is_in_the_table() -> None:
    rooms = {path.name for path in (ROOT / "florence2").iterdir() if path.is_dir() and not path.name.startswith("_")}
    assert rooms <= set(re.findall(r"^\| \d+ \| `(\w+)` \| \S", rooms_table(), re.MULTILINE))


@pytest.fixture(scope="module")
def sizes() -> str:
    """The table of sizes, for which all of the library and of the tests is read."""
    return size_tables(Walk(["datasets/a.py", "training/b.py"], 7, ["Prediction", "Score", "Decision"]))


def test_the_sizes_are_those_of_the_walk(sizes: str) -> None:
    assert re.search(r"on its way to the loss \| \d+ \| 2 \|", sizes)
    assert re.search(r"runs meanwhile \| \d+ \| 7 \|", sizes)
    assert re.search(r"types between the logits and the decision \| \d+ \| 3 \|", sizes)
    assert "From an annotation to the loss: `datasets/a.py`, `training/b.py`.\n" in sizes


def test_mirrors_are_counted(sizes: str) -> None:
    (percent,) = re.findall(r"mirror a module \| 10% \| (\d+)% \|", sizes)
    assert 50 < int(percent) <= 100
