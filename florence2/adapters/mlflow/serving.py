"""The infrastructure check: a fresh process loads a version by its registry URI and answers sample requests."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Sequence

from pydantic import ValidationError

from florence2.adapters.mlflow import query_version
from florence2.datasets import DatasetManifest
from florence2.evaluation import choose_examples
from florence2.promotion import Candidate, ServingCheck

__all__ = ["check_serving", "sample_requests"]

_REQUESTS = 8
"""Number of requests whose time is measured; one more is sent first, to warm up."""
_LONGEST_FAILURE = 500
"""Greatest length of a failure in characters."""


def sample_requests(test_data: DatasetManifest) -> list[tuple[str, str]]:
    """Return image file and prompt of some samples that represent the split: each task has its share."""
    table = test_data.table[test_data.table["image_error"].isna()]
    images, prompts = table["image"].tolist(), table["prefix"].tolist()
    chosen = choose_examples(table["task"].tolist(), _REQUESTS + 1) if prompts else []
    root = test_data.fetch_root()
    return [(str(root / images[index]), prompts[index]) for index in chosen]


def check_serving(candidate: Candidate, requests: Sequence[tuple[str, str]], limit_seconds: float) -> ServingCheck:
    """Load a version in a process that is given only its registry URI, and send it requests.

    Args:
        candidate: the version.
        requests: image file and prompt of each request; the time of the first is not measured.
        limit_seconds: time within which all requests must be answered.

    Returns:
        What the process measured, or why it failed; whatever the model does, this function does not raise.
    """
    request = {"uri": candidate.uri, "tracking_uri": candidate.tracking_uri, "requests": list(requests)}
    try:
        # -P and another folder: neither the folder of the script nor this one is searched for modules.
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-P", query_version.__file__],
                input=json.dumps(request),
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
