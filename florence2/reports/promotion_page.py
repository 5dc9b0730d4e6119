"""The decision as a page: the verdict, its reason, and every gate with its value and limit."""

from __future__ import annotations

from florence2.promotion import Decision
from florence2.reports.templates import render_template

__all__ = ["render_decision"]

_VERDICTS = {"promote": "Promoted", "hold": "Held", "reject": "Rejected", "nothing": "Nothing to decide"}
_SECTIONS = {
    "model": ("The model", "Its scores on the test split and the data behind them. One failure rejects it."),
    "serving": ("Serving", "The model in a fresh process, loaded by its registry URI. One failure rejects it."),
    "advantage": ("Against the champion", "Both on the same test images. One failure holds it."),
}
"""Title and meaning of each aspect of gates."""


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
