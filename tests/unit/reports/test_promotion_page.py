"""The page of a decision."""

from __future__ import annotations

import re

from florence2.promotion.decision import Decision
from florence2.promotion.gate import Gate
from florence2.reports.promotion_page import GATE_COLUMNS, gate_rows, render_decision

HELD = Decision(
    verdict="hold",
    why="Version 2 is held. Worse in <b>cats</b>.",
    challenger="2",
    champion="1",
    gates=(
        Gate(name="serving", title="Loads", aspect="serving", value=None, limit=None, passed=True, why="It answered."),
        Gate(name="a", title="AP50", aspect="advantage", value=0.25, limit=0.1, passed=False, why="<b>cats</b>"),
        Gate(name="b", title="Gain", aspect="advantage", value=None, limit=0.0, passed=None, why="Not comparable."),
    ),
)


def test_it_shows_verdict_reason_and_every_gate_with_value_and_limit() -> None:
    page = render_decision(HELD)
    rows = [re.sub(r"<[^>]+>|\s+", " ", row) for row in re.findall(r"<tr>\n<th scope=\"row\">.*?</tr>", page, re.S)]
    assert [" ".join(row.split()) for row in rows] == [
        "Loads ✓ passed \N{EN DASH} \N{EN DASH} It answered.",
        "AP50 ✗ failed 0.25 0.1 &lt;b&gt;cats&lt;/b&gt;",
        "Gain \N{EN DASH} not evaluated \N{EN DASH} 0 Not comparable.",
    ]
    assert "<title>Held: version 2</title>" in page


def test_the_terminal_shows_value_and_limit_of_every_gate() -> None:
    assert len(GATE_COLUMNS) == len(gate_rows(HELD.gates)[0])
    assert gate_rows(HELD.gates)[1:] == [
        ("AP50", "failed", "0.25", "0.1", "<b>cats</b>"),
        ("Gain", "not evaluated", "\N{EN DASH}", "0", "Not comparable."),
    ]


def test_texts_are_escaped_and_nothing_is_loaded_from_elsewhere() -> None:
    page = render_decision(HELD)
    assert "<b>" not in page
    assert not re.search(r"https?://|<script|<link", page)


def test_kinds_without_a_gate_have_no_heading() -> None:
    assert "<h2" not in render_decision(Decision(verdict="nothing", why="There is no challenger."))
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", render_decision(HELD)) == ["Serving", "Against the champion"]
