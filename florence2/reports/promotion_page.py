"""The decision as a page and as rows of a table: the verdict, its reason, and every gate with its value and limit."""

from __future__ import annotations

from collections.abc import Iterable

from florence2.promotion import Decision, Gate
from florence2.reports.formats import format_number
from florence2.reports.templates import render_template

__all__ = ["GATE_COLUMNS", "gate_rows", "render_decision"]

GATE_COLUMNS = ("gate", "outcome", "value", "limit", "why")
"""Titles of the columns of ``gate_rows``."""

_VERDICTS = {"promote": "Promoted", "hold": "Held", "reject": "Rejected", "nothing": "Nothing to decide"}
_SECTIONS = {
    "model": ("The model", "Its scores on the test split and the data behind them. One failure rejects it."),
    "serving": ("Serving", "The model in a fresh process, loaded by its registry URI. One failure rejects it."),
    "floor": (
        "Against base and baseline",
        "The model that it was trained from, and answers without seeing the image, on the same test images. "
        "One failure holds it.",
    ),
    "advantage": ("Against the champion", "Both on the same test images. One failure holds it."),
}
"""Title and meaning of each aspect of gates."""


def gate_rows(gates: Iterable[Gate]) -> list[tuple[str, str, str, str, str]]:
    """Return a row for each gate of a table on the terminal or in Markdown, see ``GATE_COLUMNS``."""
    return [
        (gate.title, gate.outcome, format_number(gate.value), format_number(gate.limit), gate.why) for gate in gates
    ]


def render_decision(decision: Decision) -> str:
    """Return a self-contained HTML page; every text of users and models is escaped."""
    sections = [
        (title, note, [gate for gate in decision.gates if gate.aspect == aspect])
        for aspect, (title, note) in _SECTIONS.items()
    ]
    values = {
        "decision": decision,
        "title": _VERDICTS[decision.verdict],
        "sections": [section for section in sections if section[2]],
    }
    return render_template("decision.html", values)
