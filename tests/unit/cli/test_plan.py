"""The settings that ``--dry-run`` prints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from florence2.cli.plan import Plan, _described, as_yaml
from florence2.config import Configuration
from florence2.config.files import read_sections
from florence2.datasets import ingest
from florence2.training import RateSearchPlan, TrainingCost
from tests.builders import write_image

texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)

changes = st.fixed_dictionaries(
    {},
    optional={
        "source": texts,
        "revision": st.none() | texts,
        "classes": st.lists(texts, max_size=3),
        "rules": st.dictionaries(texts, st.sampled_from(["warn", "ignore"]), max_size=3),
        "learning_rate": st.none() | st.floats(1e-12, 1e6),
        "epochs": st.integers(1, 100_000),
        "verify": st.booleans(),
        "patience": st.none() | st.integers(1, 9),
    },
)


@settings(max_examples=50, deadline=None)
@example({"source": "\xa0@"})
@example({"source": "\u3000?", "classes": ["\xa0", "a\u2003"]})
@given(changes)
def test_the_printed_settings_read_again_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]
) -> None:
    configuration = Configuration(**values)
    file = tmp_path_factory.getbasetemp() / "printed.yaml"
    text = as_yaml(configuration)
    file.write_text(text, encoding="utf-8", newline="")
    assert Configuration(**read_sections(file, Configuration)) == configuration
    changed = [line for line in text.splitlines() if "    # default: " in line]
    default = Configuration()
    assert bool(changed) == (configuration != default)


SEARCH = RateSearchPlan(trials=5, steps=41, validated=120, share=0.25)


@pytest.mark.parametrize(
    ("rate", "search", "line"),
    [
        (
            "auto",
            SEARCH,
            "search     at most 5 trainings of 41 steps choose the learning rate: 25% of the training, 50 s",
        ),
        ("auto", None, "search     the training is too short to search for the learning rate: the default is used"),
        (1e-3, None, None),
    ],
)
def test_it_says_what_the_search_for_the_learning_rate_costs(
    rate: Any, search: RateSearchPlan | None, line: str | None
) -> None:
    cost = TrainingCost({}, 1e-3, 1000, 200.0, 10.0, 1.0, search, "")
    data = {"source": "d", "format": "jsonl", "tasks": [], "splits": {}}
    plan = Plan(Configuration(learning_rate=rate), (), data, "b", "lora", cost, 1.0, 9.0, "the GPU")
    assert [each for each in plan.lines() if each.startswith("search")] == ([line] if line else [])
    assert plan.seconds == 220 + (50 if search else 0)
    assert plan.to_dict()["seconds"]["search"] == (50 if search else 0)
    assert (plan.to_dict()["learning_rate_search"] or {}).get("steps") == (41 if search else None)


@pytest.mark.parametrize("source", ["", "my.yml"])
def test_the_format_of_a_set_is_the_one_that_it_is_read_in(tmp_path: Path, source: str) -> None:
    write_image(tmp_path / "images/a.png")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/a.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    if source:
        (tmp_path / source).write_text("names: [cat]\ntrain: images\n")
    configuration = Configuration(source=str(tmp_path / source))
    assert _described(configuration, ingest(configuration.dataset))["format"] == "yolo"
