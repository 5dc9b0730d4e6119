"""The infrastructure check: a fresh process loads a version by its registry URI and answers sample requests."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Sequence

from pydantic import ValidationError

from florence2.adapters.mlflow import query_version as ask_served
from florence2.datasets import DatasetManifest
from florence2.evaluation import choose_examples
from florence2.promotion import Candidate, ServingCheck

__all__ = ["check_serving", "sample_requests"]

_REQUESTS = 8
"""Requests whose time is measured, besides the first."""
_LONGEST_FAILURE = 500
"""Characters shown of what a failed process said."""


def sample_requests(test_data: DatasetManifest) -> list[tuple[str, str]]:
    """Return image file and prompt of some rows that stand for the split: every task has its share."""
    table = test_data.table[test_data.table["image_error"].isna()]
    images, prompts = table["image"].tolist(), table["prefix"].tolist()
    rows = choose_examples(prompts, _REQUESTS + 1) if prompts else []
    root = test_data.fetch_root()
    return [(str(root / images[row]), prompts[row]) for row in rows]


def check_serving(candidate: Candidate, requests: Sequence[tuple[str, str]], limit_seconds: float) -> ServingCheck:
    """Load a version in a process that knows nothing but where the registry is, and ask it.

    Args:
        candidate: the version.
        requests: image file and prompt of each request; the first is not timed.
        limit_seconds: time in which everything must be done.

    Returns:
        What the process found, or why it failed; nothing that the model does can raise here.
    """
    order = {"uri": candidate.uri, "tracking_uri": candidate.tracking_uri, "requests": list(requests)}
    try:
        # -P and another folder: neither the folder of the script nor this one is searched for modules.
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-P", ask_served.__file__],
                input=json.dumps(order),
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=limit_seconds,
                check=False,
            )
    except subprocess.TimeoutExpired:
        return ServingCheck(failure=f"no answer within {limit_seconds:g} seconds")
    if done.returncode:
        return ServingCheck(failure=f"the process ended with status {done.returncode}")
    written = (done.stdout.splitlines() or [""])[-1]
    try:
        found = ServingCheck.model_validate_json(written)
    except ValidationError:
        return ServingCheck(failure=f"the process wrote no result but {_shown(written)!r}")
    return found.model_copy(update={"failure": _shown(found.failure)})


def _shown(text: str) -> str:
    return textwrap.shorten(text, _LONGEST_FAILURE)
