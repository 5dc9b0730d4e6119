"""The result of a promotion: a few lines on the terminal, ``summary.json`` and the page."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

from rich.console import Console
from rich.table import Table
from rich.text import Text
from zenml.client import Client
from zenml.enums import ExecutionStatus

from florence2.promotion import Decision
from florence2.reports import GATE_COLUMNS, gate_rows, render_decision

__all__ = ["write_decision"]


def write_decision(run_id: UUID, output: Path) -> int:
    """Write ``summary.json`` and ``decision.html`` of a finished promotion and print the decision.

    Args:
        run_id: the ZenML run.
        output: folder for both files; made if absent.

    Returns:
        The exit status: 0 promoted or nothing to do, 3 held or rejected.
    """
    steps = Client().get_pipeline_run(run_id).steps
    (made,) = (step.outputs["decision"] for step in steps.values() if "decision" in step.outputs)
    decision: Decision = made[0].load()
    output.mkdir(parents=True, exist_ok=True)
    page = output / "decision.html"
    page.write_text(render_decision(decision), encoding="utf-8")
    summary = decision.model_dump(mode="json") | {
        "exit_status": decision.exit_status,
        "page": str(page.absolute()),
        "executed_steps": [name for name, step in steps.items() if step.status != ExecutionStatus.CACHED],
        "cached_steps": [name for name, step in steps.items() if step.status == ExecutionStatus.CACHED],
    }
    (output / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    _print(decision, page)
    return decision.exit_status


def _print(decision: Decision, page: Path) -> None:
    console = Console()
    if decision.gates:
        table = Table(*GATE_COLUMNS)
        for row in gate_rows(decision.gates):
            table.add_row(*map(Text, row))
        console.print(table)
    console.print(f"decision {decision.verdict}: {decision.why}", markup=False)
    console.print(f"page     {page.absolute()}", soft_wrap=True, markup=False)
