"""Runs the pipeline once for each YAML file named on the command line and writes how each run ended."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import sys
from pathlib import Path


def run(pipeline_name: str, config: str) -> tuple[int, str]:
    """Do what ``zenml pipeline run PIPELINE -c CONFIG`` does; returns exit status and output."""
    printed = io.StringIO()
    with contextlib.redirect_stderr(printed), contextlib.redirect_stdout(printed):
        pipeline = importlib.import_module(pipeline_name)
        try:
            pipeline.with_options(config_path=config)()
        except SystemExit as exc:
            return int(exc.code or 0), printed.getvalue()
    return 0, printed.getvalue()


if __name__ == "__main__":
    Path("outcomes.json").write_text(json.dumps([run("florence_finetune", config) for config in sys.argv[1:]]))
