"""Clients of a server, in a process of their own: each sends a request as soon as the one before is answered.

    python -m benchmarks.request_clients http://127.0.0.1:8000 bodies.json --clients 16 --seconds 10

``bodies.json`` is a list of request bodies. Imports nothing heavy: its processor time is the server's loss.
"""

from __future__ import annotations

import argparse
import collections
import http.client
import itertools
import json
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

__all__ = ["main"]


def main() -> None:
    """Run the command; prints JSON with ``counts`` by status, ``seconds`` and the ``latencies`` in seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("bodies", type=Path)
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.0, help="0: every client sends one request")
    options = parser.parse_args()
    bodies = [body.encode() for body in json.loads(options.bodies.read_text())]
    address = urlsplit(options.url).netloc
    counts: collections.Counter[str] = collections.Counter()
    latencies: list[float] = []
    together = threading.Barrier(options.clients + 1)

    def send_requests(own: int) -> None:
        connection = http.client.HTTPConnection(address, timeout=300)
        if options.seconds:
            connection.connect()
        together.wait()
        until = time.monotonic() + options.seconds
        for number in itertools.count(own):
            started = time.monotonic()
            try:
                connection.request(
                    "POST", "/predict", bodies[number % len(bodies)], {"Content-Type": "application/json"}
                )
                response = connection.getresponse()
                response.read()
                status = str(response.status)
            except (OSError, http.client.HTTPException) as exc:
                status = type(exc).__name__
                connection.close()
            counts[status] += 1
            latencies.append(time.monotonic() - started)
            if time.monotonic() >= until:
                return

    threads = [threading.Thread(target=send_requests, args=(number,)) for number in range(options.clients)]
    for thread in threads:
        thread.start()
    together.wait()
    started = time.monotonic()
    for thread in threads:
        thread.join()
    print(json.dumps({"counts": counts, "seconds": time.monotonic() - started, "latencies": latencies}))


if __name__ == "__main__":
    main()
