"""Checks for free space and write permission in the folders of caches, runs and temporary files."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from florence2.doctor.finding import Finding
from florence2.errors import DatasetError
from florence2.storage import cache_folder

__all__ = ["check_disk", "check_folder"]

_GIB = 2**30
_SHARED_MEMORY = Path("/dev/shm")
_SHARED_GIB = 0.25


def check_disk() -> list[Finding]:
    """Check the folders of the cache, the runs and temporary files, and the shared memory of data loaders."""
    try:
        cache = cache_folder("")
    except DatasetError as exc:
        found = [Finding("problem", str(exc), "export XDG_CACHE_HOME=/a/folder/with/room")]
    else:
        found = [check_folder("cache", cache, 5.0, 0.5, "set XDG_CACHE_HOME to another folder")]
    runs, temporary = Path("runs").absolute(), Path(tempfile.gettempdir())
    found.append(check_folder("runs", runs, 5.0, 0.5, "give another folder by --output"))
    found.append(check_folder("temporary files", temporary, 1.0, 0.1, "set TMPDIR to another folder"))
    return [*found, *_shared_memory(_SHARED_MEMORY)]


def check_folder(what: str, folder: Path, wanted_gib: float, least_gib: float, otherwise: str) -> Finding:
    """Check a folder, which need not exist yet.

    Args:
        what: is kept there.
        folder: absolute path.
        wanted_gib: less free space than this is a warning.
        least_gib: less free space than this is a problem.
        otherwise: the remedy other than freeing space.
    """
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir():
        return Finding("problem", f"{what}: {existing} is a file where a folder is needed: move it, or {otherwise}")
    try:
        with tempfile.TemporaryFile(dir=existing) as file:
            file.write(b"\0" * 4096)
            file.flush()
        free = shutil.disk_usage(existing).free / _GIB
    except OSError as exc:
        return Finding("problem", f"{what}: {existing} cannot be written ({exc.strerror}): free space, or {otherwise}")
    fact = f"{what}: {folder}, {free:.1f} GiB free"
    if free < least_gib:
        return Finding("problem", f"{fact}, at least {least_gib:g} are needed: free space, or {otherwise}")
    if free < wanted_gib:
        return Finding("warning", f"{fact}; {wanted_gib:g} are recommended: free space, or {otherwise}")
    return Finding("ok", fact)


def _shared_memory(folder: Path) -> list[Finding]:
    """Warn of the 64 MiB that a container has by default: processes that load images crash with so little."""
    if not folder.is_dir() or (size := shutil.disk_usage(folder).total / _GIB) >= _SHARED_GIB:
        return []
    return [
        Finding(
            "warning",
            f"shared memory: {folder} has {1024 * size:.0f} MiB; processes that load images crash with a bus error: "
            "start the container with --shm-size=2g, or set training.engine.loader_workers to 0",
        )
    ]
