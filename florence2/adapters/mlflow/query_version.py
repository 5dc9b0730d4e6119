"""The program of the infrastructure check: reads a request from its input, queries the model, and writes the result.

It runs by its path in a process of its own and imports nothing of this project: the model must bring what it needs.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from pathlib import Path
from typing import Any

__all__ = ["query_version"]

_GIB = 1 << 30


def query_version(request: dict[str, Any]) -> dict[str, float]:
    """Load a version and send it images and prompts one by one.

    Args:
        request: ``uri`` of the version, ``tracking_uri`` of its store, ``requests``: image file and prompt of each.

    Returns:
        ``load_seconds``, ``seconds_per_image`` (the median without the first) and ``memory_gib``.
    """
    import mlflow
    import pandas as pd

    mlflow.set_tracking_uri(request["tracking_uri"])
    started = time.perf_counter()
    model = mlflow.pyfunc.load_model(request["uri"])
    loaded = time.perf_counter()
    seconds = []
    for file, prompt in request["requests"]:
        row = pd.DataFrame({"image": [Path(file).read_bytes()], "prompt": [prompt]})
        sent = time.perf_counter()
        answers = model.predict(row)
        seconds.append(time.perf_counter() - sent)
        if len(answers) != 1 or not isinstance(answers["answer"].iloc[0], str):
            raise ValueError(f"answered {prompt!r} by {answers!r}")
    return {
        "load_seconds": loaded - started,
        "seconds_per_image": statistics.median(seconds[1:] or seconds),
        "memory_gib": _memory_gib(),
    }


def _memory_gib() -> float:
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        memory = max(memory, torch.cuda.max_memory_allocated())
    return memory / _GIB


if __name__ == "__main__":
    result: dict[str, Any]
    try:
        result = query_version(json.loads(sys.stdin.read()))
    except Exception as exc:  # a model can fail in any way; its error is the result
        result = {"failure": f"{type(exc).__name__}: {exc}"}
    sys.stdout.write(f"\n{json.dumps(result)}\n")
