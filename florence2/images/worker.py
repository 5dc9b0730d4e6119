"""Worker processes that probe image files: each reads lists of paths and writes the probes, as lines of JSON.

Decoding small images is half Python, so threads hardly use a second core. ``concurrent.futures`` would import the
user's script in each process, which then needs ``if __name__ == "__main__"``. ``loky`` would not, but takes 300 us of
processor time for an image of 128 pixels where this takes 225, and one process that a decoder crashes ends its whole
pool: 186 of 188 batches failed. Here that process alone is replaced.
"""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from florence2.images.files import ImageDefect, ImageProbe, probe_image

__all__ = ["ImageWorkers", "serve"]

_START = "import sys; sys.path[:] = {path!r}; from florence2.images.worker import serve; serve()"


class ImageWorkers(contextlib.AbstractContextManager["ImageWorkers"]):
    """A pool of processes that probe image files.

    Args:
        count: number of processes.

    Raises:
        OSError: they cannot be started, for example where the interpreter is built into another program.
    """

    def __init__(self, count: int) -> None:
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()
        self._started: list[subprocess.Popen[bytes]] = []
        try:
            for _ in range(count):
                self._idle.put(self._start())
            # All processes load their libraries at the same time, and each answers a first empty list.
            if any(_exchange(worker, []) is None for worker in self._started):
                raise OSError("a worker process did not start")
        except BaseException:
            self._stop()
            raise

    def probe(self, paths: Sequence[Path]) -> list[ImageProbe]:
        """Probe files in the next idle process; call it from as many threads as there are processes."""
        found = self._request(paths)
        if found is not None:
            return found
        crash = ImageProbe(error=f"{ImageDefect.UNREADABLE}: decoding it ended the process")
        return [(self._request([path]) or [crash])[0] for path in paths]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    def __enter__(self) -> Self:
        return self

    def _request(self, paths: Sequence[Path]) -> list[ImageProbe] | None:
        """Return the probes, or None if the process ended first; another process then replaces it."""
        worker = self._idle.get()
        try:
            found = _exchange(worker, [str(path) for path in paths])
            if found is None:
                worker.kill()
                worker.wait()
                worker = self._start()
            return found
        finally:
            self._idle.put(worker)

    def _start(self) -> subprocess.Popen[bytes]:
        if not sys.executable:
            raise OSError("the Python interpreter has no path")
        command = [sys.executable, "-c", _START.format(path=sys.path)]
        # Decoders written in C print messages to standard error; the defect is in the probe.
        worker = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=-1
        )
        self._started.append(worker)
        return worker

    def _stop(self) -> None:
        for worker in self._started:
            worker.kill()
        for worker in self._started:
            worker.communicate()


def serve() -> None:
    """Read lines of paths from standard input and write lines of probes to standard output, until the input ends."""
    warnings.simplefilter("ignore")  # Pillow warns of large images, which are refused here
    for line in sys.stdin.buffer:
        found = [probe_image(Path(path)).values() for path in json.loads(line)]
        sys.stdout.buffer.write(json.dumps(found).encode() + b"\n")
        sys.stdout.buffer.flush()


def _exchange(worker: subprocess.Popen[bytes], paths: list[str]) -> list[ImageProbe] | None:
    assert worker.stdin is not None and worker.stdout is not None
    try:
        worker.stdin.write(json.dumps(paths).encode() + b"\n")
        worker.stdin.flush()
        answer = worker.stdout.readline()
        return [ImageProbe(*fields) for fields in json.loads(answer)]
    except (OSError, ValueError):
        return None
