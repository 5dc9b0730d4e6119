"""Probing of all image files of a data set: in parallel, each file once, and unchanged files never again."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import PIL

from florence2.config import core_count
from florence2.images.files import ImageDefect, ImageProbe, probe_image
from florence2.images.signatures import SIGNATURE_VERSION
from florence2.images.worker import ImageWorkers
from florence2.storage import FileIndex, is_inside, is_settled, stamp_of

__all__ = ["probe_images"]

_KIND = f"probe/3/Pillow {PIL.__version__}/signature {SIGNATURE_VERSION}"
"""Kind of the entries in the index; its number is raised when the probe of the same file changes."""

_PER_TRANSACTION = 2000
"""Files per transaction of the index; an interrupted pass continues after the last transaction."""

_CHUNK = 32
"""Files that a worker probes per request."""

_WORTH_PROCESSES = 3000
"""Number of files from which on worker processes save more time than their start takes."""

_MOST_PROCESSES = 16

_OUTSIDE = ImageProbe(error=f"{ImageDefect.OUTSIDE}: leads out of the data set's folder by a symbolic link")


def probe_images(root: Path, names: Iterable[str], *, verify: bool = False) -> dict[str, ImageProbe]:
    """Probe many image files, each distinct name once.

    Probes are kept in the user's cache, see ``FileIndex``.

    Args:
        root: folder of the data set.
        names: POSIX paths relative to the root, in any order, with repetitions.
        verify: read every file again, also where its size and times have not changed.

    Returns:
        A probe for each distinct name, in the order of their first occurrence. Where a symbolic link leads to a file
        outside the root, that file is not read.
    """
    found: dict[str, ImageProbe | None] = dict.fromkeys(names)
    stamps: dict[str, str | None] = {}
    waiting: list[str] = []
    with FileIndex.of(root) as index:
        for batch in _batches(list(found), _PER_TRANSACTION):
            checked = _check_files(root, batch)
            settled = {name: value for name, value in checked.items() if isinstance(value, str)}
            known = {} if verify else index.lookup(_KIND, settled)
            found |= {name: ImageProbe(*json.loads(value)) for name, value in known.items()}
            found |= {name: value for name, value in checked.items() if isinstance(value, ImageProbe)}
            unknown = [name for name in batch if found[name] is None]
            stamps |= {name: settled.get(name) for name in unknown}
            waiting += unknown
        probed = _probe_in_parallel(root, waiting)
        while fresh := dict(islice(probed, _PER_TRANSACTION)):
            found |= fresh
            index.store(_KIND, {n: (s, json.dumps(p.values())) for n, p in fresh.items() if (s := stamps[n])})
    return {name: probe for name, probe in found.items() if probe is not None}


def _check_files(root: Path, names: Sequence[str]) -> dict[str, str | ImageProbe | None]:
    """Check files by their status, without opening them.

    Returns:
        A stamp for each file that the index may know, None for one that changed just now, a probe for one that need
        not be opened.
    """
    top = os.path.realpath(root)
    folders: dict[str, bool] = {}
    now = time.time_ns()
    checked: dict[str, str | ImageProbe | None] = {}
    for name in names:
        path = f"{top}/{name}"
        folder = path.rpartition("/")[0]
        try:
            if folder not in folders:
                folders[folder] = is_inside(folder, top)
            status = os.lstat(path) if folders[folder] else None
            if status is not None and stat.S_ISLNK(status.st_mode):
                status = os.stat(path) if is_inside(path, top) else None  # noqa: PTH116 - a Path takes longer
        except (OSError, ValueError):
            checked[name] = probe_image(Path(path))  # it is missing, or its name is invalid; the probe says which
            continue
        if status is None:
            checked[name] = _OUTSIDE
        elif not stat.S_ISREG(status.st_mode):
            checked[name] = probe_image(Path(path))
        else:
            checked[name] = stamp_of(status) if is_settled(status, now) else None
    return checked


def _probe_in_parallel(root: Path, names: list[str]) -> Iterator[tuple[str, ImageProbe]]:
    """Yield names with their probes, in order."""
    top = Path(os.path.realpath(root))
    workers = min(core_count(), _MOST_PROCESSES)
    with contextlib.ExitStack() as stack:
        probe: Callable[[Sequence[Path]], list[ImageProbe]] = _probe_here
        if len(names) >= _WORTH_PROCESSES and workers > 1:
            with contextlib.suppress(OSError):
                probe = stack.enter_context(ImageWorkers(workers)).probe
        pool = ThreadPoolExecutor(workers)
        stack.callback(pool.shutdown, cancel_futures=True)
        batches = _batches(names, _CHUNK)
        for probes in pool.map(lambda batch: list(zip(batch, probe([top / n for n in batch]), strict=True)), batches):
            yield from probes


def _probe_here(paths: Sequence[Path]) -> list[ImageProbe]:
    return [probe_image(path) for path in paths]


def _batches(names: Sequence[str], size: int) -> Iterator[list[str]]:
    rest = iter(names)
    while batch := list(islice(rest, size)):
        yield batch
