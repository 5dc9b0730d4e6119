"""The resources of a step as Kubernetes and Kubeflow Pipelines read them. Needs neither ZenML nor a cluster."""

from __future__ import annotations

import re

__all__ = ["cpu_quantity", "memory_quantity"]

_UNITS = {
    "B": "",
    "KB": "K",
    "KIB": "Ki",
    "MB": "M",
    "MIB": "Mi",
    "GB": "G",
    "GIB": "Gi",
    "TB": "T",
    "TIB": "Ti",
    "PB": "P",
    "PIB": "Pi",
}


def memory_quantity(memory: str) -> str:
    """Return an amount of memory as a Kubernetes quantity: ``16GB`` is ``16G``, ``16GiB`` is ``16Gi``.

    Kubernetes writes thousands as ``k``, Kubeflow's check takes ``K`` alone: kilobytes become bytes, which both accept.

    Args:
        memory: a whole number and a unit of ZenML: B, KB, KiB, MB, MiB, GB, GiB, TB, TiB, PB or PiB.

    Raises:
        ValueError: it is not.
    """
    match = re.fullmatch(r"(\d+)([KMGTP]?I?B)", memory.strip().upper())
    if match is None or match[2] == "IB":
        raise ValueError(f"not an amount of memory: {memory!r}; write for example 16GB or 16GiB")
    number, unit = match.groups()
    return str(int(number) * 1000) if unit == "KB" else number + _UNITS[unit]


def cpu_quantity(cpus: float) -> str:
    """Return a number of CPU cores as a Kubernetes quantity: 4 is ``4``, 0.5 is ``500m``."""
    return str(int(cpus)) if cpus == int(cpus) else f"{round(cpus * 1000)}m"
