"""One retraining from data to decision: ``florence_finetune``, then ``florence_promote``, in one process.

``python -m pipelines.retrain configs/retrain.yaml configs/promote.yaml``, or ``make retrain``. Where nothing changed,
every step is cached and there is nothing to decide. Ends with status 0 if a model was promoted or there was nothing to
do, 3 if one was held or rejected, 1 if something failed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from florence2.adapters import CHAMPION, Registry, drift_between
from florence2.config import Configuration, PromotionConfiguration
from pipelines.command_line import CommandLinePipeline, for_command_line
from pipelines.finetune import florence_finetune
from pipelines.promote import florence_promote
from pipelines.promotion_summary import write_decision
from pipelines.retrain_summary import Retraining, to_markdown
from pipelines.summary import write_summary
from steps.mirror_registry import mirror

__all__ = ["retrain"]


def retrain(finetune: Path, promote: Path) -> Retraining:
    """Fine-tune, then promote the result.

    Args:
        finetune: YAML file of ``florence_finetune``.
        promote: YAML file of ``florence_promote``.

    Returns:
        What happened.
    """
    status, trained = _run(for_command_line(florence_finetune, Configuration, write_summary), finetune)
    if status:
        return Retraining(status)
    registry = Registry(trained["tracking_uri"], trained["model_name"])
    mirror(registry)
    champion, version = registry.version_of(CHAMPION), trained["version"]
    if champion is not None and champion.version == version:
        return Retraining(0, trained)
    drift = drift_between(registry, champion.version, version) if champion is not None else ""
    status, decision = _run(for_command_line(florence_promote, PromotionConfiguration, write_decision), promote)
    return Retraining(status, trained, drift, decision)


def _run(pipeline: CommandLinePipeline, file: Path) -> tuple[int, dict[str, Any]]:
    """Run a pipeline with a YAML file and return its exit status and its summary, empty if it failed."""
    try:
        pipeline.with_options(config_path=str(file))()
        status = 0
    except SystemExit as exc:  # how a pipeline on the command line ends
        status = exc.code if isinstance(exc.code, int) else 1
    summary = Path("outputs") / file.stem / "summary.json"
    if status in (0, 3) and not summary.is_file():
        raise SystemExit(
            f"error: {pipeline.name} was submitted and runs elsewhere, so there is nothing to decide on yet; write"
            " `synchronous: true` into the configuration of the stack's orchestrator and apply it again"
        )
    return status, json.loads(summary.read_text(encoding="utf-8")) if status in (0, 3) else {}


def main(arguments: list[str]) -> int:
    """Retrain, then print the summary and write it to the file of the CI server, if there is one."""
    parser = argparse.ArgumentParser("python -m pipelines.retrain", description="Fine-tune, then promote the result.")
    parser.add_argument("finetune", type=Path, help="YAML file of florence_finetune")
    parser.add_argument("promote", type=Path, help="YAML file of florence_promote")
    files = parser.parse_args(arguments)
    finetune: Path = files.finetune
    done = retrain(finetune, files.promote)
    text = to_markdown(done)
    output = Path("outputs") / finetune.stem
    output.mkdir(parents=True, exist_ok=True)
    (output / "summary.md").write_text(text, encoding="utf-8")
    if page := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(page).open("a", encoding="utf-8") as job:
            job.write(text)
    sys.stdout.write(f"\n{text}")
    return done.status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
