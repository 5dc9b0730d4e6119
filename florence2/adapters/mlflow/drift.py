"""The difference between the training data of two registered versions."""

from __future__ import annotations

import json

from florence2.adapters.mlflow.registry import Registry
from florence2.adapters.mlflow.versions import STATISTICS
from florence2.datasets import DatasetStatistics, compare
from florence2.errors import DatasetError, RegistryError

__all__ = ["drift_between"]


def drift_between(registry: Registry, reference: str, current: str) -> str:
    """Compare the training data of two versions.

    Args:
        registry: the model.
        reference: version, such as the champion.
        current: version that is compared with it.

    Returns:
        The verdict in a sentence; where the statistics of a version are missing, why there is no verdict.
    """
    try:
        before, after = (
            DatasetStatistics.from_dict(json.loads(registry.text_of(version, STATISTICS)))
            for version in (reference, current)
        )
    except (DatasetError, RegistryError, ValueError) as exc:
        return f"The training data cannot be compared with that of version {reference}: {exc}"
    return f"Training data against that of version {reference}: {compare(before, after).sentence}"
