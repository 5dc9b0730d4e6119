"""The settings that ``--dry-run`` prints."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from florence2.cli.plan import as_yaml
from florence2.config import Configuration
from florence2.config.files import read_sections

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
