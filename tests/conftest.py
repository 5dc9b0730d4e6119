"""Settings of every test process."""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Generator
from pathlib import Path

import hypothesis
import pytest

# Read when torch is loaded. Models this small gain nothing from a second thread, and lose much where it has no core.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The time of an example depends more on the load of the machine than on the code.
hypothesis.settings.register_profile("suite", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("suite")


_LONGEST = (
    "integration/test_finetune_pipeline.py",
    "documents/test_code_blocks.py",
    "integration/test_promotion.py",
    "integration/test_remote_stack.py",
    "integration/test_retrain.py",
    "integration/test_survival.py",
    "integration/test_cluster_submission.py",
    "integration/test_sdk_train.py",
    "integration/test_bad_input.py",
    "integration/test_onnx_export.py",
    "unit/adapters/mlflow/test_registry.py",
)
"""Files that begin: one of them at the end would keep a process busy while the other has nothing left to do."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; the others stay in their order."""
    tests = Path(__file__).parent
    order = {tests / file: number for number, file in enumerate(_LONGEST)}
    items.sort(key=lambda item: order.get(item.path, len(order)))


def pytest_configure(config: pytest.Config) -> None:
    """Keep caches out of the home of whoever runs the tests; worker processes inherit the folder."""
    if not hasattr(config, "workerinput"):
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        # Its list of fonts takes seconds to make anew.
        os.environ.setdefault("MPLCONFIGDIR", str(cache / "matplotlib"))
        folder = tempfile.TemporaryDirectory(prefix="florence2-tests-")
        config.add_cleanup(folder.cleanup)
        os.environ["XDG_CACHE_HOME"] = folder.name


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the objects of the imported libraries out of every later garbage collection.

    They live until the process ends; without this each full collection visits all of them again.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
