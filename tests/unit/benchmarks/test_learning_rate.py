"""The table of the benchmark of the learning rate."""

from __future__ import annotations

from typing import Any

from benchmarks.learning_rate import FACTORS, render

CELL = {"data": "cards", "base": "nano", "strategy": "full", "seed": 0, "epochs": None, "rows": 100}


def line(factor: float, value: float, *, auto: bool = False, seconds: float = 100.0, **cell: Any) -> dict[str, Any]:
    scored = {} if auto else {"score": "map50", "value": value}
    return {**CELL, **cell, "factor": factor, "auto": auto, "seconds": seconds, **scored}


def test_auto_has_the_score_of_the_rate_that_it_chose_and_a_cell_counts_when_it_is_complete() -> None:
    values = dict(zip(FACTORS, (0.1, 0.2, 0.3, 0.4, 0.5, 0.05, 0.0), strict=True))
    cell = [line(factor, value) for factor, value in values.items()]
    chosen = line(1.0, 0.0, auto=True, seconds=20.0)
    incomplete = [line(factor, 0.9, seed=1) for factor in FACTORS[1:]] + [line(2.0, 0.0, auto=True, seed=1)]
    rows = render([*cell, chosen, *incomplete]).splitlines()[2:]
    assert rows == [
        "| cards | nano | full | 0 | map50 | 0.400 | 0.500 (x 2) | 0.400 (x 1) | 0.80 | 0.20 |",
        "| mean of 1 | | | | | | | | 0.80, lowest 0.80 | 0.20 |",
    ]
    assert len(render([*cell, *incomplete]).splitlines()) == 2, "without auto there is nothing to compare"
