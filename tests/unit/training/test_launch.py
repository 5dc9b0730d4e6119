"""Processes share a batch evenly, and a micro-batch that does not fit into the memory is halved."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

import pytest

from florence2.config import Configuration
from florence2.errors import ConfigurationError, OutOfMemoryError
from florence2.training import launch as launching
from florence2.training.job import Job
from florence2.training.launch import launch, process_count


@dataclasses.dataclass
class Work:
    """The parts of a job that are read before its processes start."""

    training: Any
    processes: int = 1
    storage: Any = None


def test_a_batch_that_processes_cannot_share_names_the_option() -> None:
    assert process_count(Configuration(batch_size=6, processes=3).training) == 3
    with pytest.raises(ConfigurationError, match=r"batch_size 4 cannot be divided evenly among 3 processes; set"):
        process_count(Configuration(batch_size=4, processes=3).training)


def test_a_micro_batch_is_halved_until_it_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def run(job: Job, micro_batch_size: int) -> None:
        tried.append(micro_batch_size)
        if micro_batch_size > 3:
            raise OutOfMemoryError(f"a micro-batch of {micro_batch_size} samples does not fit into the memory")

    monkeypatch.setattr(launching, "run_job", run)
    launch(cast("Job", Work(Configuration(batch_size=12).training)))
    assert tried == [12, 6, 3]


def test_one_sample_that_does_not_fit_names_the_options(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(job: Job, micro_batch_size: int) -> None:
        raise OutOfMemoryError("too large")

    monkeypatch.setattr(launching, "run_job", run)
    with pytest.raises(OutOfMemoryError, match=r"not even one sample fits .*gradient_checkpointing"):
        launch(cast("Job", Work(Configuration(batch_size=2).training)))
