"""Start the processes of a fine-tune, one for each GPU, and start them again with smaller micro-batches on low memory.

``torch.distributed.elastic`` starts processes too, but passes on the text of a failure only: the halving of the
micro-batch, the errors for users and the metrics of the first process need a channel for objects as here. With a
function as entry point it also imports the user's script in each process.
"""

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
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import torch

from florence2.config import TrainingConfig
from florence2.errors import ConfigurationError, Florence2Error, OutOfMemoryError, TrainingError
from florence2.training.job import Job, run_job
from florence2.training.monitoring import Monitoring
from florence2.training.ports import free_port
from florence2.training.run_state import is_full
from florence2.training.stopping import StopRequest

__all__ = ["fit_into_memory", "launch", "process_count"]

logger = logging.getLogger(__name__)

_PATIENCE_SECONDS = 20
"""Time for the other processes to end when one has failed; they may be waiting for it."""
Result = TypeVar("Result")

_WORK = f"from {__name__} import work; work()"


def process_count(training: TrainingConfig) -> int:
    """Return the number of processes that train together.

    Raises:
        ConfigurationError: the batch cannot be divided evenly among them.
    """
    count = training.engine.processes or max(1, torch.cuda.device_count())
    if training.batch_size % count:
        raise ConfigurationError(
            f"training.batch_size {training.batch_size} cannot be divided evenly among {count} processes; "
            f"set a multiple of it, or another training.engine.processes"
        )
    return count


def launch(job: Job) -> None:
    """Train, in this process or in several.

    Args:
        job: the fine-tune; its sinks receive metrics and previews in this process.

    Raises:
        OutOfMemoryError: not even one sample fits.
        TrainingError: as ``run_job``, or a disk is full.
    """
    run = run_job if job.processes == 1 else _run_in_processes
    try:
        fit_into_memory(partial(run, job), job.training.batch_size, job.processes)
    except Exception as exc:
        if isinstance(exc, Florence2Error) or not is_full(exc):
            raise
        raise TrainingError(f"{job.storage.folder}: the disk is full: free space, then start the run again") from exc


def fit_into_memory(run: Callable[[int], Result], batch_size: int, processes: int) -> Result:
    """Run with the largest micro-batch that fits into the memory.

    Args:
        run: called with the samples in one forward pass of a process; it raises OutOfMemoryError where they do not fit.
        batch_size: samples of a step over all processes.
        processes: number of processes that train together.

    Raises:
        OutOfMemoryError: not even one sample fits.
    """
    micro_batch_size = share = batch_size // processes
    while True:
        try:
            return run(micro_batch_size)
        except OutOfMemoryError as exc:
            smaller = [size for size in range(1, micro_batch_size // 2 + 1) if share % size == 0]
            if not smaller:
                raise OutOfMemoryError(
                    "not even one sample fits into the memory; set training.engine.gradient_checkpointing, "
                    "or use a smaller base"
                ) from exc
            micro_batch_size = smaller[-1]
            logger.warning(
                "%s: from here on %d, with gradients accumulated to the same batch of %d",
                exc,
                micro_batch_size,
                batch_size,
            )
        finally:
            # The trainer and its callbacks refer to each other: only the collector frees their memory.
            gc.collect()
            torch.cuda.empty_cache()


def _run_in_processes(job: Job, micro_batch_size: int) -> None:
    """Train in new processes, which send this one their metrics, previews and errors.

    A command starts them, not ``multiprocessing``, which would import the caller's script again. They have a session of
    their own: Ctrl-C reaches them through this process, once.
    """
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": str(job.processes)}
    messages: queue.Queue[Any] = queue.Queue()
    without_sinks = replace(job.monitoring, sink=None, preview=None)
    assignment = pickle.dumps(
        (replace(job, monitoring=without_sinks), micro_batch_size, job.monitoring.preview is not None)
    )
    with contextlib.ExitStack() as stack:
        stop = stack.enter_context(StopRequest())
        workers: list[subprocess.Popen[bytes]] = []
        stack.callback(_end, workers)
        for rank in range(job.processes):
            worker = subprocess.Popen(
                [sys.executable, "-c", _WORK],
                env={**os.environ, **address, "RANK": str(rank), "LOCAL_RANK": str(rank)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
            workers.append(worker)
            threading.Thread(target=_read, args=(worker, messages), daemon=True).start()
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write(assignment)  # stays open: the worker ends when it closes
            worker.stdin.flush()
        _forward(workers, messages, job.monitoring, stop)


def _forward(
    workers: Sequence[subprocess.Popen[bytes]],
    messages: queue.Queue[Any],
    monitoring: Monitoring,
    stop: StopRequest,
) -> None:
    """Forward the messages of the workers until all have ended, or one has failed."""
    signalled = False
    running = len(workers)
    while running:
        if stop.signal is not None and not signalled:
            for worker in workers:
                worker.send_signal(stop.signal)
            signalled = True
        try:
            kind, *content = messages.get(timeout=0.2)
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
            if stop.signal is not None:  # before the worker could handle signals
                stop.raise_for(stop.signal)
            if content[0]:
                raise TrainingError(f"a training process ended with status {content[0]} and without a message")


def _read(worker: subprocess.Popen[bytes], messages: queue.Queue[Any]) -> None:
    """Put every message of a worker into a queue, and at last its exit status."""
    assert worker.stdout is not None
    try:
        while True:
            messages.put(pickle.load(worker.stdout))
    except Exception:  # at the end of the stream, or within a message of a worker that was killed
        messages.put(("end", worker.wait()))


def _end(workers: Sequence[subprocess.Popen[bytes]]) -> None:
    """Wait a while for workers to end, then kill them; when one has failed, the others may wait for it for ever."""
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
    """Run one of the processes: read the job from standard input, write messages to standard output."""
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # libraries may print; messages have their own descriptor
    job, micro_batch_size, has_preview = pickle.load(sys.stdin.buffer)
    threading.Thread(target=_exit_with_caller, daemon=True).start()
    first = os.environ["RANK"] == "0"
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("florence2").setLevel(logging.INFO if first else logging.WARNING)
    warnings.filterwarnings("ignore", message="Grad strides do not match")  # of depthwise convolutions; harmless

    def send(kind: str, *content: Any) -> None:
        pickle.dump((kind, *content), channel)
        channel.flush()

    sink, preview = partial(send, "metrics") if first else None, partial(send, "preview") if has_preview else None
    try:
        run_job(replace(job, monitoring=replace(job.monitoring, sink=sink, preview=preview)), micro_batch_size)
    except (Florence2Error, KeyboardInterrupt, SystemExit) as exc:
        send("failure", exc)
        os._exit(1)  # a regular exit would wait for the other processes, which may wait for this one
    except Exception:
        traceback.print_exc()
        os._exit(1)


def _exit_with_caller() -> None:
    # Not by sys.stdin: a thread that waits there would hold its lock when Python ends.
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)
