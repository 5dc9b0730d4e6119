"""The program of the infrastructure check: reads an order from its input, asks the model, and writes what it found.

It runs by its path in a process of its own and imports nothing of this project: what the model needs must come with
the model.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from pathlib import Path
from typing import Any

__all__ = ["ask"]

_GIB = 1 << 30


def ask(order: dict[str, Any]) -> dict[str, float]:
    """Load a model and answer requests one by one.

    Args:
        order: ``uri`` of the model, ``tracking_uri`` of its store, ``requests`` with image file and prompt of each.

    Returns:
        ``load_seconds``, ``seconds_per_image`` (the median without the first) and ``memory_gib``.
    """
    import mlflow
    import pandas as pd

    mlflow.set_tracking_uri(order["tracking_uri"])
    started = time.perf_counter()
    model = mlflow.pyfunc.load_model(order["uri"])
    loaded = time.perf_counter()
    seconds = []
    for file, prompt in order["requests"]:
        request = pd.DataFrame({"image": [Path(file).read_bytes()], "prompt": [prompt]})
        asked = time.perf_counter()
        answers = model.predict(request)
        seconds.append(time.perf_counter() - asked)
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
    found: dict[str, Any]
    try:
        found = ask(json.loads(sys.stdin.read()))
    except Exception as exc:  # a model can fail in any way; what it says is the finding
        found = {"failure": f"{type(exc).__name__}: {exc}"}
    sys.stdout.write(f"\n{json.dumps(found)}\n")
