from __future__ import annotations

import re

from docs.generator.house import rooms_table, size_tables
from docs.generator.walk import Walk
from tests import ROOT


def test_every_room_of_the_library_is_in_the_table() -> None:
    rooms = {path.name for path in (ROOT / "florence2").iterdir() if path.is_dir() and not path.name.startswith("_")}
    assert rooms <= set(re.findall(r"^\| \d+ \| `(\w+)` \| \S", rooms_table(), re.MULTILINE))


def test_the_sizes_are_those_of_the_walk() -> None:
    text = size_tables(Walk(["datasets/a.py", "training/b.py"], 7, ["Prediction", "Score", "Decision"]))
    assert re.search(r"on its way to the loss \| \d+ \| 2 \|", text)
    assert re.search(r"runs meanwhile \| \d+ \| 7 \|", text)
    assert re.search(r"types between the logits and the decision \| \d+ \| 3 \|", text)
    assert "From an annotation to the loss: `datasets/a.py`, `training/b.py`.\n" in text


def test_mirrors_are_counted() -> None:
    (percent,) = re.findall(r"mirror a module \| 10% \| (\d+)% \|", size_tables(Walk([], 0, [])))
    assert 50 < int(percent) <= 100
