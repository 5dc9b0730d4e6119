"""What Prometheus reads of a server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from florence2.serving.metrics import ServerMetrics


def values(metrics: ServerMetrics, *, name: str = "cards", version: str = "1") -> dict[str, float]:
    """Return each series with its value."""
    text = metrics.text(waiting=3, name=name, version=version, loads=2, failures=1).decode()
    pairs = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {series: float(value) for series, value in pairs}


def test_requests_are_counted_by_status_and_time() -> None:
    metrics = ServerMetrics()
    for status, seconds in ((200, 0.5), (200, 100.0), (503, 0.0)):
        metrics.count_request(status, seconds)
    found = values(metrics)
    assert found['florence2_requests_total{status="200"}'] == 2
    assert found['florence2_requests_total{status="503"}'] == 1
    assert found['florence2_request_seconds_bucket{le="0.64"}'] == 2
    assert found['florence2_request_seconds_bucket{le="+Inf"}'] == found["florence2_request_seconds_count"] == 3
    assert found["florence2_request_seconds_sum"] == 100.5


def test_a_bucket_counts_batches_of_at_most_its_bound() -> None:
    metrics = ServerMetrics()
    for size in (1, 2, 4, 5):
        metrics.count_batch(size, 0.01)
    found = values(metrics)
    buckets = [found[f'florence2_batch_size_bucket{{le="{bound}"}}'] for bound in ("1.0", "2.0", "4.0", "8.0", "+Inf")]
    assert buckets == [1, 2, 3, 4, 4]
    assert found["florence2_batch_seconds_count"] == 4


def test_only_the_version_that_answers_is_shown() -> None:
    metrics = ServerMetrics()
    values(metrics, version="1")
    found = values(metrics, version="2")
    assert [series for series in found if "model_info" in series] == ['florence2_model_info{name="cards",version="2"}']
    assert [found[f"florence2_{name}"] for name in ("waiting", "model_loads", "model_failures")] == [3, 2, 1]


def test_a_name_that_holds_quotes_stays_one_label() -> None:
    found = values(ServerMetrics(), name='a "b"\\\n')
    assert found['florence2_model_info{name="a \\"b\\"\\\\\\n",version="1"}'] == 1


def test_threads_lose_no_count() -> None:
    metrics = ServerMetrics()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: metrics.count_request(200, 0.1), range(2000)))
    assert values(metrics)['florence2_requests_total{status="200"}'] == 2000


def test_two_servers_in_a_process_do_not_share_counts() -> None:
    first, second = ServerMetrics(), ServerMetrics()
    first.count_request(200, 0.1)
    assert 'florence2_requests_total{status="200"}' not in values(second)
