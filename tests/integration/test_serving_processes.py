"""Servers as processes, over real connections: an alias that moves, a rush, large uploads, and their end."""

from __future__ import annotations

import base64
import contextlib
import http.client
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import psutil
import pytest
from PIL import Image

from florence2.adapters.mlflow.registration import register
from florence2.adapters.mlflow.versions import RegisteredModel
from florence2.config import Configuration
from florence2.evaluation.report import EvaluationReport, ModelEvaluation
from florence2.model.base import base_fingerprint, load_base
from florence2.model.checkpoint import Checkpoint
from florence2.training.ports import free_port
from tests.builders import manifest
from tests.tracking import tracked_in
from tests.waiting import PATIENCE_SECONDS, wait_for

pytestmark = pytest.mark.integration

MEGABYTE = 1_000_000
CONFIG = Configuration(base="builtin:nano", model_name="cards", alias="champion")


def image(size: tuple[int, int] = (64, 64)) -> str:
    stream = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


@dataclass(frozen=True)
class Served:
    """A server process that answers."""

    process: subprocess.Popen[str]
    address: str
    log: Path

    def request(self, path: str, body: Any = None) -> tuple[int, Any]:
        """Send a request on a connection of its own; returns status and content."""
        connection = http.client.HTTPConnection(self.address, timeout=PATIENCE_SECONDS)
        if body is None:
            connection.request("GET", path)
        else:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response.status, json.loads(text) if text.startswith("{") else text

    def count(self, metric: str) -> int:
        """Return a count of /metrics, 0 if it is not there yet."""
        found = re.search(rf"^{re.escape(metric)} (\d+)", self.request("/metrics")[1], re.MULTILINE)
        return int(found[1]) if found else 0


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> RegisteredModel:
    """Version 1, champion; version 2, the same weights; version 3, whose files are gone."""
    folder = tmp_path_factory.mktemp("store")
    base = load_base(CONFIG.model)
    for part in (base.model, base.processor):
        part.save_pretrained(folder / "checkpoint" / "model")
    checkpoint = Checkpoint(folder / "checkpoint", "full", CONFIG.model.base, None, base_fingerprint(CONFIG.model), 2.0)
    report = EvaluationReport(ModelEvaluation("base", {"map50": 0.1}), ModelEvaluation("fine-tuned", {"map50": 0.8}))
    with tracked_in(f"sqlite:///{folder}/mlflow.db"):
        experiment = mlflow.create_experiment("e", artifact_location=(folder / "artifacts").as_uri())
        with mlflow.start_run(experiment_id=experiment):
            held_out = manifest({"split": "test", "sha256": "f" * 64})
            first = register(checkpoint, report, manifest({}, {"split": "valid"}), held_out, CONFIG)
        client = mlflow.MlflowClient()
        client.create_model_version("cards", client.get_model_version_download_uri("cards", "1"))
        client.create_model_version("cards", (folder / "nothing").as_uri())
    return first


@contextlib.contextmanager
def server(command: list[str], folder: Path, ready: str, **environment: str) -> Iterator[Served]:
    """Run a command until what it writes matches ``ready``, whose first group is its address."""
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"} | environment,
        )
    try:
        wait_for(
            lambda: re.search(ready, log.read_text()), lambda: log.read_text() if process.poll() is not None else None
        )
        yield Served(process, re.findall(ready, log.read_text())[0], log)
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.fixture(scope="module")
def champion(registered: RegisteredModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    command = ["florence2.cli", "serve", "--model", "models:/cards@champion", "--port", "0", "--max-batch", "4"]
    command += ["--tracking-uri", registered.tracking_uri, "--poll-seconds", "0.2", "--max-new-tokens", "24"]
    command += ["--request-seconds", "600"]  # a full queue on a slow machine is no reason to refuse
    with server(command, tmp_path_factory.mktemp("serve"), r"answers at http://(\S+)") as served:
        yield served


def test_no_request_is_lost_while_the_alias_moves_and_a_broken_version_changes_nothing(
    champion: Served, registered: RegisteredModel
) -> None:
    question = {"image": image(), "prefix": "<OD>"}
    registry = mlflow.MlflowClient(registered.tracking_uri)
    seen: list[str] = []
    late_versions: list[str] = []
    going = True

    def client(number: int) -> None:
        while going:
            late = "2" in seen
            status, content = champion.request("/predict", question)
            assert status == 200, (number, content)
            seen.append(content["version"])
            if late:
                late_versions.append(content["version"])

    with ThreadPoolExecutor(8) as pool:
        clients = [pool.submit(client, number) for number in range(8)]
        try:
            wait_for(lambda: len(seen) > 20)
            registry.set_registered_model_alias("cards", "champion", "2")
            wait_for(lambda: seen.count("2") > 40)
        finally:
            going = False
        for futures in clients:
            futures.result()
    assert set(seen) == {"1", "2"}
    assert set(late_versions) == {"2"}, "the old version answers only requests from before the switch"

    registry.set_registered_model_alias("cards", "champion", "3")
    wait_for(lambda: champion.request("/version")[1]["problem"] is not None)
    version = champion.request("/version")[1]
    assert version["version"] == "2"
    assert "version 3 cannot be loaded" in version["problem"]
    assert champion.request("/predict", question)[1]["version"] == "2"
    assert champion.log.read_text().count("version 3 cannot be loaded") == 1
    assert "Traceback" not in champion.log.read_text()
    registry.set_registered_model_alias("cards", "champion", "2")
    wait_for(lambda: champion.request("/version")[1]["problem"] is None)


def test_a_thousand_parallel_requests_get_an_answer_or_a_time_to_come_back(champion: Served, tmp_path: Path) -> None:
    bodies = tmp_path / "bodies.json"
    bodies.write_text(json.dumps([json.dumps({"image": image(), "prefix": "<OD>"})]))
    command = [sys.executable, "-m", "benchmarks.request_clients", f"http://{champion.address}", str(bodies)]
    done = subprocess.run([*command, "--clients", "1000"], capture_output=True, text=True, check=True)
    counts = json.loads(done.stdout)["counts"]
    assert set(counts) <= {"200", "503"}, counts
    assert sum(counts.values()) == 1000
    assert counts["200"] >= 200
    assert champion.request("/ready") == (200, {"status": "ready"})


@pytest.mark.parametrize("announced", [True, False])
def test_a_hundred_megabytes_are_refused_and_the_memory_stays_flat(champion: Served, announced: bool) -> None:
    memory = psutil.Process(champion.process.pid).memory_info
    before = memory().rss
    piece = b"x" * MEGABYTE
    connection = http.client.HTTPConnection(champion.address, timeout=PATIENCE_SECONDS)
    connection.putrequest("POST", "/predict")
    connection.putheader("Content-Type", "application/json")
    connection.putheader(*(("Content-Length", str(100 * MEGABYTE)) if announced else ("Transfer-Encoding", "chunked")))
    connection.endheaders()
    highest = 0
    for _ in range(100):
        connection.send(piece if announced else b"%x\r\n%b\r\n" % (len(piece), piece))
        highest = max(highest, memory().rss)
    if not announced:
        connection.send(b"0\r\n\r\n")
    response = connection.getresponse()
    assert response.status == 413
    assert "more than 16 MB" in json.loads(response.read())["error"]
    assert highest - before < 60 * MEGABYTE  # the 16 MB that are allowed, once in pieces and once together


def test_who_goes_away_is_not_answered(champion: Served) -> None:
    questions = {"questions": [{"image": image(), "prefix": "<OD>"}] * 16}
    body = json.dumps(questions).encode()
    head = f"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    host, port = champion.address.split(":")
    answered = champion.count("florence2_batch_size_sum")
    for _ in range(10):
        with socket.create_connection((host, int(port))) as gone:
            gone.sendall(head.encode() + body)
    wait_for(lambda: champion.count('florence2_requests_total{status="499"}') > 0)
    gone_before = champion.count('florence2_requests_total{status="499"}')
    with socket.create_connection((host, int(port))) as gone:
        gone.sendall(head.encode() + body[:100])
    wait_for(lambda: champion.count('florence2_requests_total{status="499"}') > gone_before)
    wait_for(lambda: champion.count("florence2_waiting") == 0)
    assert champion.request("/predict", {"image": image(), "prefix": "<OD>"})[0] == 200
    assert champion.count("florence2_batch_size_sum") - answered < 160
    assert "failed" not in champion.log.read_text()


def test_a_server_that_is_stopped_answers_what_it_has_and_ends_well(champion: Served) -> None:
    questions = {"questions": [{"image": image(), "prefix": prefix} for prefix in ("<OD>", "<CAPTION>")] * 8}

    def arrived() -> int:
        """Count the questions that were answered or wait; up to four more are being answered."""
        return champion.count("florence2_batch_size_sum") + champion.count("florence2_waiting")

    before = arrived()
    with ThreadPoolExecutor(10) as pool:
        futures = [pool.submit(champion.request, "/predict", questions) for _ in range(10)]
        wait_for(lambda: arrived() - before > 9 * 16)
        champion.process.send_signal(signal.SIGTERM)
        replies = [future.result() for future in futures]
    assert [status for status, _ in replies] == [200] * 10
    assert champion.process.wait(PATIENCE_SECONDS) == 0
    assert "Traceback" not in champion.log.read_text()


def test_mlflow_serves_the_champion_with_its_limits(registered: RegisteredModel, tmp_path: Path) -> None:
    command = ["mlflow", "models", "serve", "-m", "models:/cards@champion", "--env-manager", "local"]
    command += ["--port", str(free_port())]
    limits = json.dumps({"max_questions": 4, "max_pixels": 100_000})
    with server(
        command,
        tmp_path,
        r"Uvicorn running on http://(\S+)",
        MLFLOW_TRACKING_URI=registered.tracking_uri,
        SERVING_MODEL_CONFIG=limits,
        PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    ) as served:
        row = {"image": image(), "prompt": "<OD>"}
        values = [list(row.values())]
        forms: list[dict[str, Any]] = [
            {"dataframe_split": {"columns": list(row), "data": values}},
            {"dataframe_records": [row]},
            {"inputs": [row]},
            {"inputs": {name: [value] for name, value in row.items()}},
        ]
        replies = [served.request("/invocations", form) for form in forms]
        assert [status for status, _ in replies] == [200] * 4, replies
        (answer,) = replies[0][1]["predictions"]
        assert all(content == replies[0][1] for _, content in replies)
        assert set(answer) == {"answer", "score", "truncated", "boxes"}
        assert set(answer["boxes"][0]) == {"class", "score", "xyxy"}

        with ThreadPoolExecutor(8) as pool:  # its server calls the model from many threads
            together = list(pool.map(lambda _: served.request("/invocations", forms[1]), range(24)))
        assert all(reply == replies[0] for reply in together)

        for rows, message in (
            ([row | {"image": "aGVsbG8="}], "row 0: image: unreadable, not an image of a known format"),
            ([row | {"image": "%"}], "row 0: image: neither base64 nor a URL"),
            ([row | {"image": "http://169.254.169.254/"}], "row 0: image: images by URL are not fetched"),
            ([row | {"prompt": "<ODD>"}], "starts with no task token"),
            ([row | {"image": image((400, 400))}], "400 x 400 pixels, at most 100000 are decoded"),
            ([row] * 5, "5 rows in one request, at most 4 are allowed"),
            ([{"image": row["image"]}], "prompt"),
            ([row | {"image": None}], "image"),
        ):
            status, content = served.request("/invocations", {"dataframe_records": rows})
            assert status == 400, content
            assert message in content["message"], content
            assert "Traceback" not in json.dumps(content)
        status, content = served.request("/invocations", {"rows": [row]})
        assert (status, content["error_code"]) == (400, "BAD_REQUEST")
