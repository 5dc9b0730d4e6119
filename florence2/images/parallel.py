"""The look at all image files of a data set: in parallel, each once, and none again that has not changed."""

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
"""In the index; counted up when probes of the same file become others."""

_KEPT_AT_ONCE = 2000
"""Files per transaction of the index; an interrupted pass goes on after the last."""
_PROBED_AT_ONCE = 32
_WORTH_PROCESSES = 3000
"""Number of files whose probing takes longer than starting processes that do it faster."""
_MOST_PROCESSES = 16

_OUTSIDE = ImageProbe(error=f"{ImageDefect.OUTSIDE}: leads out of the data set's folder by a symbolic link")


def probe_images(root: Path, names: Iterable[str], *, verify: bool = False) -> dict[str, ImageProbe]:
    """Probe many image files, each distinct name once.

    What was found is kept in the user's cache, see ``FileIndex``.

    Args:
        root: folder of the data set.
        names: POSIX paths relative to the root, in any order, with repetitions.
        verify: read every file again, also where size and times are those of the last look.

    Returns:
        A probe for each distinct name, in the order of their first mention. A file outside the root that a symbolic
        link leads to is not read.
    """
    found: dict[str, ImageProbe | None] = dict.fromkeys(names)
    stamps: dict[str, str | None] = {}
    waiting: list[str] = []
    with FileIndex.of(root) as index:
        for batch in _batches(list(found), _KEPT_AT_ONCE):
            looked = _look(root, batch)
            settled = {name: value for name, value in looked.items() if isinstance(value, str)}
            known = {} if verify else index.lookup(_KIND, settled)
            found |= {name: ImageProbe(*json.loads(value)) for name, value in known.items()}
            found |= {name: value for name, value in looked.items() if isinstance(value, ImageProbe)}
            unknown = [name for name in batch if found[name] is None]
            stamps |= {name: settled.get(name) for name in unknown}
            waiting += unknown
        probed = _probe_in_parallel(root, waiting)
        while fresh := dict(islice(probed, _KEPT_AT_ONCE)):
            found |= fresh
            index.store(_KIND, {n: (s, json.dumps(p.values())) for n, p in fresh.items() if (s := stamps[n])})
    return {name: probe for name, probe in found.items() if probe is not None}


def _look(root: Path, names: Sequence[str]) -> dict[str, str | ImageProbe | None]:
    """Look at files without opening them.

    Returns:
        A stamp for files that the index may know, None for those that changed just now, a probe where no look into
        the file is needed.
    """
    top = os.path.realpath(root)
    folders: dict[str, bool] = {}
    looked_at = time.time_ns()
    looked: dict[str, str | ImageProbe | None] = {}
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
            looked[name] = probe_image(Path(path))  # it is missing, or its name cannot be one; says which
            continue
        if status is None:
            looked[name] = _OUTSIDE
        elif not stat.S_ISREG(status.st_mode):
            looked[name] = probe_image(Path(path))
        else:
            looked[name] = stamp_of(status) if is_settled(status, looked_at) else None
    return looked


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
        batches = _batches(names, _PROBED_AT_ONCE)
        for probes in pool.map(lambda batch: list(zip(batch, probe([top / n for n in batch]), strict=True)), batches):
            yield from probes


def _probe_here(paths: Sequence[Path]) -> list[ImageProbe]:
    return [probe_image(path) for path in paths]


def _batches(names: Sequence[str], size: int) -> Iterator[list[str]]:
    rest = iter(names)
    while batch := list(islice(rest, size)):
        yield batch
