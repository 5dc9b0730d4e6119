"""The page and the table of a search."""

from __future__ import annotations

import re

import pytest

from florence2.reports.tuning_page import render_tuning, trial_table
from florence2.tuning.outcome import Outcome, conclude
from tests.trials import ended, plan, repeated, searched

FASTER = {"learning_rate": 2.0, "strategy": "lora", "batch_size": 4}


@pytest.fixture
def outcome() -> Outcome:
    trials = [
        ended(0, [0.1, 0.4], spread=0.01),
        ended(1, [], state="failed", failure="the <loss> is NaN"),
        ended(2, [0.05], state="pruned"),
        ended(3, [0.3, 0.6], spread=0.01, params=FASTER),
    ]
    return conclude(plan(), [*trials, repeated(trials[0], 4, 0.45), repeated(trials[3], 5, 0.55)])


def test_the_table_has_the_best_trial_first_and_marks_the_winner(outcome: Outcome) -> None:
    assert rows_of(outcome) == [
        ("* 3", "0.600", "2", "10", "complete", "batch_size 4, learning_rate 0.008"),
        ("5", "0.550", "1", "10", "complete", "batch_size 4, learning_rate 0.008, seed 1"),
        ("4", "0.450", "1", "10", "complete", "seed 1"),
        ("0", "0.400", "2", "10", "complete", "the default"),
        ("2", "0.050", "1", "10", "pruned", "the default"),
        ("1", "\N{EN DASH}", "0", "10", "failed", "the default"),
    ]


def test_the_page_has_the_result_all_trials_and_their_lines(outcome: Outcome) -> None:
    page = render_tuning(outcome)
    assert outcome.sentence in page
    assert "98.33 % interval" in page
    assert "by which neither was chosen: map50 0.550, and map50 0.450 by default" in page
    assert len(re.findall(r'<th scope="row">\d', page)) == 6
    assert len(re.findall(r"<polyline", page)) == 5, "a trial without scores has no line"
    assert 'class="winner" points="34.0,138.7 966.0,34.0"' in page
    assert "the &lt;loss&gt; is NaN" in page
    assert "too few trials" in page


def test_the_page_says_what_mattered() -> None:
    search = plan(trials=20)
    outcome = conclude(search, searched(search, 20))
    rows = re.findall(r'<th scope="row">(\w+)</th><td class="right number">([\d.]+)%', render_tuning(outcome))
    assert rows[0][0] == "learning_rate"
    assert sum(float(share) for _, share in rows) == pytest.approx(100, abs=0.3)


def test_a_smaller_loss_is_better() -> None:
    search = plan().model_copy(update={"score": "loss", "higher_is_better": False})
    rows = rows_of(conclude(search, [ended(0, [2.0]), ended(1, [1.0], params=FASTER)]))
    assert [row[0] for row in rows] == ["1", "* 0"]


def rows_of(outcome: Outcome) -> list[tuple[str, ...]]:
    columns = [list(column.cells) for column in trial_table(outcome).columns]
    return [tuple(map(str, row)) for row in zip(*columns, strict=True)]
