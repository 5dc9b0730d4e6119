"""One gate, and its keys in files."""

from __future__ import annotations

import pytest

from florence2.promotion.gate import Gate


@pytest.mark.parametrize(("passed", "outcome"), [(True, "passed"), (False, "failed"), (None, "not evaluated")])
def test_the_outcome_is_in_words(passed: bool | None, outcome: str) -> None:
    gate = Gate(name="a", title="A", aspect="model", value=None, limit=None, passed=passed, why="")
    assert gate.outcome == outcome
    assert gate.model_dump()["judges"] == "model", "the key of earlier files"
    assert Gate.model_validate(gate.model_dump()) == gate
