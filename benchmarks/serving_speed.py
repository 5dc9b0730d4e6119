"""Measure what serving adds to a model's own time, and what concurrent clients gain by being answered together.

    python -m benchmarks.serving_speed
    python -m benchmarks.serving_speed --base-shape --max-new-tokens 24 --seconds 60 --images 8

The server is ``florence2 serve`` as a process. First one client: each image is predicted in this process (decoded,
encoded, answered by a warm model) and by the server, in turn, so that both have the same machine. Then 1 and 16
clients in a third process, in turn: answers per second. The processor time of the server is
printed too, which other work on the machine changes less. ``--rush`` sends so many requests in parallel and counts
answers.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import http.client
import io
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psutil
import torch

from benchmarks.base_shape import save_base_shape
from benchmarks.scene_rows import box_rows
from benchmarks.stopwatch import Stopwatch
from florence2.config import EvaluationConfig, LimitsConfig
from florence2.inference.generation import Predictor
from florence2.inference.request_images import RequestImageReader
from florence2.model.named import load_named

__all__ = ["main"]


class _Server(NamedTuple):
    url: str
    process: psutil.Process

    def cpu(self) -> float:
        """Return the processor time that the server has used, in seconds."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextlib.contextmanager
def _server(model: str, options: argparse.Namespace) -> Iterator[_Server]:
    """Run a server."""
    command = [sys.executable, "-m", "florence2.cli", "serve", "--model", model, "--port", "0"]
    command += ["--max-new-tokens", str(options.max_new_tokens), "--max-batch", str(options.max_batch)]
    environment = os.environ | {"OMP_NUM_THREADS": str(options.threads)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    try:
        yield _Server(re.findall(r"http\S+", process.stdout.readline())[0], psutil.Process(process.pid))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _clients(url: str, bodies: Path, clients: int, seconds: float) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.request_clients", url, str(bodies)]
    command += ["--clients", str(clients), "--seconds", str(seconds)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def _overhead(
    server: _Server, reader: RequestImageReader, predictor: Predictor, images: list[bytes], repeats: int
) -> None:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc)
    own: list[list[float]] = [[] for _ in images]
    served: list[list[float]] = [[] for _ in images]
    own_cpu = served_cpu = 0.0
    for repeat in range(repeats + 1):  # the first round does not count
        before = server.cpu()
        for index, image in enumerate(images):
            watch = Stopwatch()
            ((_, answer),) = predictor.predict_prepared(reader.read([(image, "<OD>")]))
            ours = watch.lap()
            body = json.dumps({"image": base64.b64encode(image).decode(), "prefix": "<OD>"})
            watch.lap()
            connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
            reply = json.loads(connection.getresponse().read())
            theirs = watch.lap()
            if reply["answers"][0]["text"] != answer.text:
                raise AssertionError(f"served {reply!r}, in process {answer!r}")
            if repeat:
                own[index].append(ours.wall)
                served[index].append(theirs.wall)
                own_cpu += ours.cpu
        served_cpu += (server.cpu() - before) * (repeat > 0)
    medians = [(statistics.median(a), statistics.median(b)) for a, b in zip(own, served, strict=True)]
    mine, theirs_ms = (1e3 * statistics.median(pair[side] for pair in medians) for side in (0, 1))
    print(f"one client: in process {mine:.1f} ms, served {theirs_ms:.1f} ms", end=", ")
    print(f"median ratio of an image {statistics.median(b / a for a, b in medians):.3f}", end="; ")
    each = 1e3 / (repeats * len(images))
    print(
        f"processor {own_cpu * each:.1f} and {served_cpu * each:.1f} ms, ratio {served_cpu / own_cpu:.3f}", flush=True
    )


def _throughput(server: _Server, bodies: Path, options: argparse.Namespace) -> None:
    _clients(server.url, bodies, options.clients, 2)
    ratios, cpu_ratios = [], []
    for _ in range(options.repeats):
        rates, costs = [], []
        for clients in (1, options.clients):
            before = server.cpu()
            found = _clients(server.url, bodies, clients, options.seconds)
            if set(found["counts"]) != {"200"}:
                raise AssertionError(f"not every request was answered: {found['counts']}")
            rates.append(found["counts"]["200"] / found["seconds"])
            costs.append((server.cpu() - before) / found["counts"]["200"])
        ratios.append(rates[1] / rates[0])
        cpu_ratios.append(costs[0] / costs[1])
        print(
            f"1 client {rates[0]:.1f}/s, {options.clients} clients {rates[1]:.1f}/s, ratio {ratios[-1]:.2f}", end="; "
        )
        print(
            f"processor {1e3 * costs[0]:.1f} and {1e3 * costs[1]:.1f} ms an answer, ratio {cpu_ratios[-1]:.2f}",
            flush=True,
        )
    medians = statistics.median(ratios), statistics.median(cpu_ratios)
    print(f"median ratio of throughput {medians[0]:.2f}, of answers per processor second {medians[1]:.2f}", flush=True)


def _rush(url: str, bodies: Path, count: int) -> None:
    found = _clients(url, bodies, count, 0)
    slowest = max(found["latencies"])
    print(f"{count} parallel requests: {found['counts']}, the last after {slowest:.1f} s", flush=True)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="builtin:nano", help="any model that florence2 serve accepts")
    parser.add_argument("--base-shape", action="store_true", help="random weights in the shape of Florence-2-base")
    parser.add_argument("--data", default="shapes", help="cards or shapes, see benchmarks.scene_rows")
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--max-batch", type=int, default=16)
    parser.add_argument("--max-new-tokens", type=int, default=1024)
    parser.add_argument("--threads", type=int, default=1, help="of the arithmetic, on both sides")
    parser.add_argument("--rush", type=int, default=0, help="requests at once")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        model = str(save_base_shape(Path(folder) / "model")) if options.base_shape else options.model
        samples = box_rows(options.data, options.images, 0).samples
        images = [sample.image.getvalue() for sample in samples if isinstance(sample.image, io.BytesIO)]
        bodies = Path(folder) / "bodies.json"
        requests = [{"image": base64.b64encode(image).decode(), "prefix": "<OD>"} for image in images]
        bodies.write_text(json.dumps([json.dumps(body) for body in requests]))
        load = " ".join(f"{value:.1f}" for value in os.getloadavg())
        print(f"load {load}, {os.cpu_count()} cores, threads {options.threads}", flush=True)
        predictor = Predictor(load_named(model), EvaluationConfig(max_new_tokens=options.max_new_tokens))
        with _server(model, options) as server:
            _overhead(server, RequestImageReader(predictor, LimitsConfig()), predictor, images, options.repeats)
            _throughput(server, bodies, options)
            if options.rush:
                _rush(server.url, bodies, options.rush)


if __name__ == "__main__":
    main()
