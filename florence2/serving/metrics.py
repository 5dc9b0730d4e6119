"""``ServerMetrics``: what a server counts and measures for Prometheus."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

__all__ = ["CONTENT_TYPE_LATEST", "ServerMetrics"]

_SECONDS = [0.01 * 2**n for n in range(14)]
"""Upper bounds of the buckets: from 10 ms to 82 s."""


class ServerMetrics:
    """Counts and times of one server; threads may add to them at the same time.

    They are in a registry of their own, so that two servers in a process do not add to the same counts.
    """

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "florence2_requests_total", "Requests to /predict by status of the answer.", ["status"], registry=registry
        )
        self._request_seconds = Histogram(
            "florence2_request_seconds",
            "From the head of a request to its answer.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._batch_size = Histogram(
            "florence2_batch_size",
            "Questions answered together.",
            buckets=[2**n for n in range(9)],
            registry=registry,
        )
        self._batch_seconds = Histogram(
            "florence2_batch_seconds", "Time of the model for a batch.", buckets=_SECONDS, registry=registry
        )
        self._waiting = Gauge("florence2_waiting", "Questions in the queue.", registry=registry)
        self._model = Gauge("florence2_model_info", "The version that answers.", ["name", "version"], registry=registry)
        self._loads = Gauge("florence2_model_loads", "Versions loaded since the start.", registry=registry)
        self._failures = Gauge(
            "florence2_model_failures", "Requests to the registry, and loads, that failed.", registry=registry
        )

    def count_request(self, status: int, seconds: float) -> None:
        """Count an answered request.

        Args:
            status: of HTTP.
            seconds: from its head to its answer.
        """
        self._requests.labels(str(status)).inc()
        self._request_seconds.observe(seconds)

    def count_batch(self, size: int, seconds: float) -> None:
        """Count a batch.

        Args:
            size: questions that were answered together.
            seconds: that the model took.
        """
        self._batch_size.observe(size)
        self._batch_seconds.observe(seconds)

    def text(self, *, waiting: int, name: str, version: str, loads: int, failures: int) -> bytes:
        """Return all metrics in the text format of Prometheus.

        Args:
            waiting: questions in the queue.
            name: of the model.
            version: of the model that answers.
            loads: versions loaded since the start.
            failures: of the registry and of loads.
        """
        self._waiting.set(waiting)
        self._loads.set(loads)
        self._failures.set(failures)
        self._model.clear()  # of the version that answered before
        self._model.labels(name, version).set(1)
        return generate_latest(self._registry)
