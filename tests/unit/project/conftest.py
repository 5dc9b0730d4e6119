"""Rules are evaluated by plain pandas, for Great Expectations takes a second."""

from __future__ import annotations

import pytest

from florence2.adapters import great_expectations
from tests.rules import run_rules


@pytest.fixture(autouse=True)
def evaluate_with_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(great_expectations, "_run_rules", run_rules)
