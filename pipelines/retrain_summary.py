"""The result of a retraining in Markdown, for the job page of a CI server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from florence2.evaluation import in_order, score_named
from florence2.promotion import Gate
from florence2.reports import GATE_COLUMNS, gate_rows

__all__ = ["Retraining", "to_markdown"]


@dataclass(frozen=True)
class Retraining:
    """What happened.

    Attributes:
        status: exit status: 0 promoted or nothing to do, 3 held or rejected, else failed.
        trained: summary of the fine-tune; empty if it failed.
        drift: how the training data differs from that of the champion, in a sentence; empty if there was none.
        decision: summary of the promotion; empty where there was none to make.
    """

    status: int
    trained: Mapping[str, Any] = field(default_factory=dict)
    drift: str = ""
    decision: Mapping[str, Any] = field(default_factory=dict)


def to_markdown(done: Retraining) -> str:
    """Return the summary of a retraining."""
    if done.status not in (0, 3):
        which = "promotion" if done.trained else "fine-tune"
        return f"# Retraining: failed\n\nThe {which} ended with status {done.status}; its message is in the log.\n"
    parts = [f"# Retraining: {_verdict(done)}", _training(done.trained), done.drift, _decision(done.decision)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _verdict(done: Retraining) -> str:
    if not done.decision:
        return "nothing to decide" if done.trained["executed_steps"] else "nothing changed"
    words = {"promote": "promoted", "hold": "held", "reject": "rejected", "nothing": "nothing to decide"}
    return words[done.decision["verdict"]]


def _training(trained: Mapping[str, Any]) -> str:
    steps = ", ".join(trained["executed_steps"]) or "none: all were cached, nothing was trained"
    after, before = trained["after"], trained["before"]
    rows = [
        (score_named(name).title, f"{before[name]:.3f}", f"{after[name]:.3f}")
        for name in in_order(after)
        if score_named(name).headline and name in before
    ]
    table = _table(("score", "base", trained["model_version"]), rows)
    return f"Steps that ran: {steps}.\n\n{table}"


def _decision(decision: Mapping[str, Any]) -> str:
    if not decision:
        return ""
    gates = [Gate.model_validate(gate) for gate in decision["gates"]]
    table = f"\n\n{_table(GATE_COLUMNS, gate_rows(gates))}" if gates else ""
    back = "\n\nTo take it back: `florence2 registry rollback --reason ...`" if decision["verdict"] == "promote" else ""
    return f"{decision['why']}{table}{back}"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(_cell(value) for value in line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
