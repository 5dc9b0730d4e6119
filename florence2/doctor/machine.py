"""Checks how many cores and how much memory this process may use: a container may have less than its machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from florence2.config import core_count
from florence2.doctor.finding import Finding

__all__ = ["check_machine"]

_GIB = 2**30
_LEAST_GIB = 2.0
"""Memory for fine-tuning ``builtin:nano``, with the libraries."""
_BASE_GIB = 8.0
"""Main memory for loading Florence-2-base and fine-tuning it with adapters on a GPU."""
_CGROUPS = Path("/sys/fs/cgroup")


def check_machine() -> list[Finding]:
    """Check the cores and the memory that affinity and control groups allow."""
    groups = list(_own_groups())
    return [_cores(core_count(), cores_by_quota(groups)), _memory(*memory_bytes(groups))]


def _cores(affine: int, quota: float | None) -> Finding:
    allowed = affine if quota is None else min(affine, quota)
    threads = _threads() or affine
    fact = f"{affine} cores" if allowed == affine else f"{allowed:g} of {affine} cores, by the container's limit"
    if threads > allowed + 1:
        fitting = max(1, int(allowed))
        return Finding(
            "warning",
            f"{fact}, but {threads} threads will compute and wait for each other: set OMP_NUM_THREADS={fitting}",
            f"export OMP_NUM_THREADS={fitting}",
        )
    return Finding("ok", fact)


def _threads() -> int | None:
    """Return the threads that ``OMP_NUM_THREADS`` sets; of a list such as 4,2 the outermost, as OpenMP does."""
    first = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(first) if first.isascii() and first.isdigit() and int(first) else None  # OpenMP ignores an invalid value


def _memory(total: float, free: float) -> Finding:
    fact = f"{free / _GIB:.1f} of {total / _GIB:.1f} GiB of memory are free"
    if free < _LEAST_GIB * _GIB:
        return Finding(
            "problem",
            f"{fact}; even the built-in model needs {_LEAST_GIB:g}: end other programs, or give the container more",
        )
    if free < _BASE_GIB * _GIB:
        return Finding(
            "warning",
            f"{fact}: enough for builtin:nano; for Florence-2-base free {_BASE_GIB:g} GiB, "
            "and set training.engine.gradient_checkpointing",
        )
    return Finding("ok", fact)


def memory_bytes(groups: list[Path]) -> tuple[float, float]:
    """Return the memory that this process may use and how much of it is free, in bytes.

    Args:
        groups: folders of its control groups, of version 2 or 1.
    """
    page = os.sysconf("SC_PAGE_SIZE")
    total = free = float(page * os.sysconf("SC_PHYS_PAGES"))
    for line in _text(Path("/proc/meminfo")).splitlines():
        if line.startswith("MemAvailable:"):
            free = float(line.split()[1]) * 1024
    for group in groups:
        for limit, used in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
            allowed = _text(group / limit).strip()
            if allowed.isdigit() and int(allowed) < total:
                taken = float(_text(group / used).strip() or 0) - _reclaimable(group)
                total, free = float(allowed), min(free, float(allowed) - taken)
    return total, max(0.0, free)


def cores_by_quota(groups: list[Path]) -> float | None:
    """Return how many cores the control groups allow, None where they set no limit."""
    allowed = []
    for group in groups:
        if len(parts := _text(group / "cpu.max").split()) == 2 and parts[0] != "max":
            allowed.append(int(parts[0]) / int(parts[1]))
        quota, period = (_text(group / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period"))
        if quota.isdigit() and period.isdigit():
            allowed.append(int(quota) / int(period))
    return min(allowed, default=None)


def _reclaimable(group: Path) -> float:
    """Return the bytes of file cache in a group, which the kernel frees when memory is needed."""
    lines = [line.split() for line in _text(group / "memory.stat").splitlines()]
    return sum(float(value) for name, value in lines if name in ("inactive_file", "total_inactive_file"))


def _own_groups() -> Iterator[Path]:
    """Yield the folders of the control groups of this process and of those above, version 2 and 1."""
    for line in _text(Path("/proc/self/cgroup")).splitlines():
        controllers, path = line.split(":", 2)[1:]
        for name in controllers.split(",") if controllers else [""]:
            if name in ("", "memory", "cpu"):
                root = _CGROUPS / name
                group = root / path.lstrip("/")
                yield from (folder for folder in (group, *group.parents) if folder.is_relative_to(root))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        return ""
