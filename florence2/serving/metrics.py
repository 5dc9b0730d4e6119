"""Counts and times of a server, written as Prometheus reads them (text exposition format 0.0.4)."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterable, Sequence

__all__ = ["CONTENT_TYPE", "Counter", "Histogram", "gauge"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Counter:
    """Counts what happened, by one label.

    Args:
        name: of the metric.
        help_text: what it counts.
        label: name of the label.
    """

    def __init__(self, name: str, help_text: str, label: str) -> None:
        self._name, self._help, self._label = name, help_text, label
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}

    def add(self, value: str) -> None:
        """Count once more for a value of the label."""
        with self._lock:
            self._counts[value] = self._counts.get(value, 0) + 1

    def lines(self) -> list[str]:
        """Return the metric as text."""
        with self._lock:
            rows = [f'{self._name}{{{self._label}="{value}"}} {count}' for value, count in self._counts.items()]
        return [*_head(self._name, self._help, "counter"), *rows]


class Histogram:
    """Counts numbers by how large they are.

    Args:
        name: of the metric.
        help_text: what it measures.
        bounds: upper bounds of the buckets, ascending.
    """

    def __init__(self, name: str, help_text: str, bounds: Sequence[float]) -> None:
        self._name, self._help, self._bounds = name, help_text, list(bounds)
        self._lock = threading.Lock()
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0

    def add(self, value: float) -> None:
        """Count a number."""
        place = bisect_left(self._bounds, value)
        with self._lock:
            self._counts[place] += 1
            self._sum += value

    def lines(self) -> list[str]:
        """Return the metric as text."""
        with self._lock:
            counts, total = list(self._counts), self._sum
        rows, seen = [], 0
        for bound, count in zip([*(f"{bound:g}" for bound in self._bounds), "+Inf"], counts, strict=True):
            seen += count
            rows.append(f'{self._name}_bucket{{le="{bound}"}} {seen}')
        return [
            *_head(self._name, self._help, "histogram"),
            *rows,
            f"{self._name}_sum {total:.6f}",
            f"{self._name}_count {seen}",
        ]


def gauge(name: str, help_text: str, value: float, labels: Iterable[tuple[str, str]] = ()) -> list[str]:
    """Return a number of now as text."""
    inner = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels)
    return [*_head(name, help_text, "gauge"), f"{name}{{{inner}}} {value:g}" if inner else f"{name} {value:g}"]


def _head(name: str, help_text: str, kind: str) -> list[str]:
    return [f"# HELP {name} {help_text}", f"# TYPE {name} {kind}"]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
