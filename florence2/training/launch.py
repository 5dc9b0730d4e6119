"""Start the processes of a fine-tune, one for each GPU, and start them again with less at once if memory runs out."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import pickle
import queue
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from florence2.config import TrainingConfig
from florence2.errors import ConfigurationError, Florence2Error, OutOfMemoryError, TrainingError
from florence2.training.job import Job, run_job
from florence2.training.monitoring import Monitoring
from florence2.training.ports import free_port
from florence2.training.run_state import is_full
from florence2.training.stopping import StopRequest

__all__ = ["launch", "process_count"]

logger = logging.getLogger(__name__)

_PATIENCE_SECONDS = 20
"""For the other processes to end when one has failed, which they may be waiting for."""
_WORK = f"from {__name__} import work; work()"


def process_count(training: TrainingConfig) -> int:
    """Return how many processes train together.

    Raises:
        ConfigurationError: the batch cannot be shared by them evenly.
    """
    count = training.engine.processes or max(1, torch.cuda.device_count())
    if training.batch_size % count:
        raise ConfigurationError(
            f"training.batch_size {training.batch_size} cannot be shared evenly by {count} processes; "
            f"give a multiple, or another training.engine.processes"
        )
    return count


def launch(job: Job) -> None:
    """Train, in this process or in several.

    Args:
        job: what to do; its sinks receive metrics and previews in this process.

    Raises:
        OutOfMemoryError: not even one sample at once fits.
        TrainingError: as ``run_job``, or a disk is full.
    """
    share = job.training.batch_size // job.processes
    sizes = [size for size in range(share, 0, -1) if share % size == 0]
    micro_batch_size = share
    while True:
        try:
            if job.processes == 1:
                run_job(job, micro_batch_size)
            else:
                _run_in_processes(job, micro_batch_size)
        except OutOfMemoryError as exc:
            smaller = next((size for size in sizes if size <= micro_batch_size // 2), None)
            if smaller is None:
                raise OutOfMemoryError(
                    "not even one sample fits into the memory; set training.engine.gradient_checkpointing, "
                    "or take a smaller base"
                ) from exc
            logger.warning(
                "%s: %d at once from here on, gradients added up to the same batch of %d",
                exc,
                smaller,
                job.training.batch_size,
            )
            micro_batch_size = smaller
        except Exception as exc:
            if isinstance(exc, Florence2Error) or not is_full(exc):
                raise
            raise TrainingError(
                f"{job.storage.folder}: the disk is full: free space, then start the run again"
            ) from exc
        else:
            return
        finally:
            # The trainer and its callbacks know each other: only the collector frees the memory that they hold.
            gc.collect()
            torch.cuda.empty_cache()


def _run_in_processes(job: Job, micro_batch_size: int) -> None:
    """Train in new processes, which tell this one their numbers and images and how they ended.

    They are started by a command of their own rather than by ``multiprocessing``, which would import the caller's
    script again, and in a session of their own: Ctrl-C reaches them through this process, once.
    """
    where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": str(job.processes)}
    news: queue.Queue[Any] = queue.Queue()
    without_sinks = replace(job.monitoring, sink=None, preview=None)
    order = pickle.dumps((replace(job, monitoring=without_sinks), micro_batch_size, job.monitoring.preview is not None))
    with contextlib.ExitStack() as stack:
        stop = stack.enter_context(StopRequest())
        workers: list[subprocess.Popen[bytes]] = []
        stack.callback(_end, workers)
        for rank in range(job.processes):
            worker = subprocess.Popen(
                [sys.executable, "-c", _WORK],
                env={**os.environ, **where, "RANK": str(rank), "LOCAL_RANK": str(rank)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
            workers.append(worker)
            threading.Thread(target=_read, args=(worker, news), daemon=True).start()
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write(order)  # stays open: when it closes, the worker knows that nobody waits for it
            worker.stdin.flush()
        _listen(workers, news, job.monitoring, stop)


def _listen(
    workers: Sequence[subprocess.Popen[bytes]],
    news: queue.Queue[Any],
    monitoring: Monitoring,
    stop: StopRequest,
) -> None:
    """Pass on what the workers tell until all have ended, or one has failed."""
    told = False
    running = len(workers)
    while running:
        if stop.signal is not None and not told:
            for worker in workers:
                worker.send_signal(stop.signal)
            told = True
        try:
            kind, *content = news.get(timeout=0.2)
        except queue.Empty:
            continue
        if kind == "metrics" and monitoring.sink is not None:
            monitoring.sink(*content)
        elif kind == "preview" and monitoring.preview is not None:
            monitoring.preview(*content)
        elif kind == "failure":
            raise content[0]
        elif kind == "end":
            running -= 1
            if stop.signal is not None:  # before it could listen to signals
                stop.obey(stop.signal)
            if content[0]:
                raise TrainingError(f"a training process ended with status {content[0]} and without a word")


def _read(worker: subprocess.Popen[bytes], news: queue.Queue[Any]) -> None:
    """Put everything that a worker tells into a queue, and at last its exit status."""
    assert worker.stdout is not None
    try:
        while True:
            news.put(pickle.load(worker.stdout))
    except Exception:  # at the end of the stream, or in the middle of a message of one that was killed
        news.put(("end", worker.wait()))


def _end(workers: Sequence[subprocess.Popen[bytes]]) -> None:
    """Let workers end by themselves for a while; when one has failed, the others may wait for it for ever."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    for worker in workers:
        assert worker.stdin is not None
        try:
            worker.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            worker.kill()
        with contextlib.suppress(OSError):
            worker.stdin.close()


def work() -> None:
    """Be one of the processes: take the order from standard input, tell the news on standard output."""
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is no news
    job, micro_batch_size, has_preview = pickle.load(sys.stdin.buffer)
    threading.Thread(target=_leave_with_the_caller, daemon=True).start()
    first = os.environ["RANK"] == "0"
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("florence2").setLevel(logging.INFO if first else logging.WARNING)
    warnings.filterwarnings("ignore", message="Grad strides do not match")  # of depthwise convolutions; harmless

    def tell(kind: str, *content: Any) -> None:
        pickle.dump((kind, *content), channel)
        channel.flush()

    sink, preview = partial(tell, "metrics") if first else None, partial(tell, "preview") if has_preview else None
    try:
        run_job(replace(job, monitoring=replace(job.monitoring, sink=sink, preview=preview)), micro_batch_size)
    except (Florence2Error, KeyboardInterrupt, SystemExit) as exc:
        tell("failure", exc)
        os._exit(1)  # not through the other processes, which may wait for this one
    except Exception:
        traceback.print_exc()
        os._exit(1)


def _leave_with_the_caller() -> None:
    # Not by sys.stdin: a thread that waits in it would hold its lock when Python ends.
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)
