"""Counts as Prometheus reads them."""

from __future__ import annotations

from florence2.serving.metrics import Counter, Histogram, gauge


def test_a_counter_has_a_line_for_each_value() -> None:
    counter = Counter("requests_total", "Requests.", "status")
    for status in ("200", "200", "503"):
        counter.add(status)
    assert counter.lines() == [
        "# HELP requests_total Requests.",
        "# TYPE requests_total counter",
        'requests_total{status="200"} 2',
        'requests_total{status="503"} 1',
    ]


def test_buckets_count_what_is_at_most_their_bound() -> None:
    histogram = Histogram("size", "Sizes.", [1, 4])
    for value in (1, 2, 4, 5):
        histogram.add(value)
    assert histogram.lines()[2:] == [
        'size_bucket{le="1"} 1',
        'size_bucket{le="4"} 3',
        'size_bucket{le="+Inf"} 4',
        "size_sum 12.000000",
        "size_count 4",
    ]


def test_names_that_hold_quotes_stay_one_label() -> None:
    assert gauge("model", "Model.", 1, [("name", 'a "b"\\\n')])[2] == 'model{name="a \\"b\\"\\\\\\n"} 1'
