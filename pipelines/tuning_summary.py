"""The result of a search: a table on the terminal, the recipe, the page, and ``summary.json`` for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.console import Console
from zenml.client import Client

from florence2.reports import trial_table
from florence2.storage import TuningFiles
from florence2.tuning import EndedTrial, conclude
from pipelines.summary import course_of

__all__ = ["write_tuning"]


def write_tuning(run_id: UUID, output: Path) -> int:
    """Write ``recipe.yaml``, ``tuning.html`` and ``summary.json`` of a finished search, and print its trials.

    The summary holds ``result``, ``better``, ``winner``, ``trials``, ``executed_steps``, ``cached_steps``, ``seconds``,
    ``recipe`` and ``page``.

    Args:
        run_id: the ZenML run.
        output: folder for the files; made if absent.

    Returns:
        The exit status, 0.
    """
    run = Client().get_pipeline_run(run_id)
    found: dict[str, Any] = {
        name: artifacts[0].load()
        for step in ("plan_search", "conclude_search")
        for name, artifacts in run.steps[step].outputs.items()
    }
    outcome = conclude(found["plan"], [EndedTrial.model_validate(trial) for trial in found["trials"]])
    output.mkdir(parents=True, exist_ok=True)
    recipe, page = output / TuningFiles.RECIPE, output / TuningFiles.PAGE
    recipe.write_text(found["recipe"], encoding="utf-8")
    page.write_text(found["page"], encoding="utf-8")
    summary = {
        "result": outcome.sentence,
        "better": outcome.is_better,
        "winner": outcome.winner.number,
        "trials": [trial.model_dump(mode="json", exclude={"resampled"}) for trial in outcome.trials],
        **course_of(run),
        "recipe": str(recipe.absolute()),
        "page": str(page.absolute()),
    }
    (output / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    console = Console()
    console.print(trial_table(outcome))
    console.print(outcome.sentence)
    console.print(f"steps    {len(summary['executed_steps'])} executed, {len(summary['cached_steps'])} cached")
    console.print(f"recipe   {summary['recipe']}", soft_wrap=True)
    console.print(f"page     {summary['page']}", soft_wrap=True)
    return 0
