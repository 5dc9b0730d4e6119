"""Worker processes return what this process returns, and one that ends is replaced."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from florence2.images import worker
from florence2.images.files import ImageProbe, probe_image
from florence2.images.worker import ImageWorkers, serve
from tests.builders import write_image


def test_a_process_probes_as_this_one_does_and_is_replaced_when_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [write_image(tmp_path / "a\nb.png"), tmp_path / "missing\udcff.png"]
    with ImageWorkers(1) as workers:
        assert workers.probe(paths) == [probe_image(path) for path in paths]
        os.kill(workers._started[0].pid, signal.SIGKILL)
        workers._started[0].wait()
        # Each file is requested alone now, in a new process where one ended.
        assert workers.probe(paths) == [probe_image(path) for path in paths]
        assert len(workers._started) == 2
        monkeypatch.setattr(worker, "_exchange", lambda worker, paths: None)
        monkeypatch.setattr(workers, "_start", lambda: workers._started[-1])
        assert workers.probe(paths[:1]) == [ImageProbe(error="unreadable: decoding it ended the process")]
    assert all(process.poll() is not None for process in workers._started)


def test_processes_that_do_not_start_are_an_os_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(OSError, match="did not start"):
        ImageWorkers(2)
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(OSError, match="no path"):
        ImageWorkers(1)


def test_serve_probes_line_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lines(*batches: Sequence[Path]) -> io.BytesIO:
        return io.BytesIO(b"".join(json.dumps([str(path) for path in batch]).encode() + b"\n" for batch in batches))

    image = write_image(tmp_path / "a.png")
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=lines([], [image, tmp_path])))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=out))
    serve()
    first, second = out.getvalue().splitlines()
    assert json.loads(first) == []
    assert [ImageProbe(*fields) for fields in json.loads(second)] == [probe_image(image), probe_image(tmp_path)]
