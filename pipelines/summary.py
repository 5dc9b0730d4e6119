"""The result of a run: a table on the terminal and ``summary.json`` for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.console import Console
from zenml.client import Client
from zenml.enums import ExecutionStatus
from zenml.models import PipelineRunResponse

from florence2.adapters import RegisteredModel, Registry
from florence2.evaluation import EvaluationReport
from florence2.reports import score_comparison_table, verdict_lines
from florence2.storage import ReportFiles, redact

__all__ = ["course_of", "write_summary"]


def write_summary(run_id: UUID, output: Path) -> int:
    """Write ``summary.json`` and ``report.html`` of a finished fine-tune and print them as a table.

    The summary holds ``before`` and ``after`` with their scores, ``executed_steps``, ``cached_steps``, ``seconds``,
    ``report``, ``mlflow_run_id``, ``model_version``.

    Args:
        run_id: the ZenML run.
        output: folder for both files; made if absent.

    Returns:
        The exit status, 0.
    """
    run = Client().get_pipeline_run(run_id)
    report: EvaluationReport = _output_of(run, "evaluate_model")
    registered: RegisteredModel = _output_of(run, "register_model")
    output.mkdir(parents=True, exist_ok=True)
    report.save(output)
    summary = {
        "before": report.before.metrics,
        "after": report.after.metrics,
        **course_of(run),
        "report": str((output / ReportFiles.PAGE).absolute()),
        "mlflow_run_id": registered.run_id,
        "model_name": registered.name,
        "version": registered.version,
        "model_version": f"{registered.name} version {registered.version} {_alias(registered)}",
        "model_uri": registered.uri,
        "tracking_uri": registered.tracking_uri,
    }
    (output / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    _print(report, summary)
    return 0


def course_of(run: PipelineRunResponse) -> dict[str, Any]:
    """Return which steps of a run were executed and which were cached, and the seconds that it took."""
    cached = [name for name, step in run.steps.items() if step.status == ExecutionStatus.CACHED]
    executed = [name for name in run.steps if name not in cached]
    return {"executed_steps": executed, "cached_steps": cached, "seconds": _seconds(run)}


def _output_of(run: PipelineRunResponse, step: str) -> Any:
    (artifacts,) = run.steps[step].outputs.values()
    return artifacts[0].load()


def _alias(registered: RegisteredModel) -> str:
    """Return where the alias points: a cached run registered its version earlier, and others may have followed."""
    holder = Registry(registered.tracking_uri, registered.name).version_of(registered.alias)
    if holder is not None and holder.version == registered.version:
        return f"@{registered.alias}"
    return f"(@{registered.alias} is now {'no version' if holder is None else f'version {holder.version}'})"


def _seconds(run: PipelineRunResponse) -> float | None:
    if run.start_time is None or run.end_time is None:
        return None
    return round((run.end_time - run.start_time).total_seconds(), 1)


def _print(report: EvaluationReport, summary: dict[str, Any]) -> None:
    console = Console()
    for line in verdict_lines(report.after, report.advice):
        console.print(line)
    console.print(score_comparison_table(report))
    cached, executed = summary["cached_steps"], summary["executed_steps"]
    console.print(
        f"steps    {len(executed)} executed, {len(cached)} cached" + ("" if executed else ": all were cached")
    )
    console.print(f"report   {summary['report']}", soft_wrap=True)
    console.print(f"run      MLflow {summary['mlflow_run_id']} in {redact(summary['tracking_uri'])}", soft_wrap=True)
    console.print(f"model    {summary['model_version']} ({summary['model_uri']})", soft_wrap=True)
