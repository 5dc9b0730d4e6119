"""The HTTP interfaces of Kubernetes and Kubeflow Pipelines without a cluster behind them: what is sent is kept.

Clients talk to it as they would to a cluster. A Job is reported as complete as soon as it is made, so that the pod
that starts a pipeline's steps goes on to the next; nothing is run.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

__all__ = ["Cluster", "imitated_cluster", "write_kubeconfig"]


@dataclass
class Cluster:
    """What was sent.

    Attributes:
        url: where it listens.
        objects: by their path: ``/apis/batch/v1/namespaces/zenml/jobs/NAME``.
    """

    url: str
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)

    def sent(self, resource: str) -> list[dict[str, Any]]:
        """Return what was made of a kind: ``jobs``, ``cronjobs``, ``runs`` ..."""
        return [made for path, made in self.objects.items() if path.split("/")[-2] == resource]


@contextmanager
def imitated_cluster() -> Iterator[Cluster]:
    """Listen on a port of this machine until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    cluster = Cluster(f"http://127.0.0.1:{server.server_port}")
    server.cluster = cluster  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield cluster
    finally:
        server.shutdown()
        server.server_close()


def write_kubeconfig(file: Path, cluster: Cluster, context: str) -> None:
    """Write the file by which kubectl and ZenML find a cluster."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "clusters": [{"name": context, "cluster": {"server": cluster.url}}],
        "users": [{"name": context, "user": {"token": "a-cluster-token"}}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
    }
    file.write_text(yaml.safe_dump(content))


class _Handler(BaseHTTPRequestHandler):
    @property
    def cluster(self) -> Cluster:
        cluster: Cluster = self.server.cluster  # type: ignore[attr-defined]
        return cluster

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path.endswith("/healthz"):
            self._answer(200, {"multi_user": False})
        elif path in self.cluster.objects:
            self._answer(200, self.cluster.objects[path])
        elif any(known.startswith(f"{path}/") for known in self.cluster.objects):
            items = [made for known, made in self.cluster.objects.items() if known.startswith(f"{path}/")]
            self._answer(200, {"kind": "List", "items": items})
        elif path.split("/")[-1] in ("pods", "jobs", "events", "secrets", "namespaces", "experiments"):
            self._answer(200, {"kind": "List", "items": []})
        else:
            self._answer(404, {"kind": "Status", "reason": "NotFound", "code": 404})

    def do_POST(self) -> None:
        body = self._body()
        path = self.path.split("?")[0]
        name = body.get("metadata", {}).get("name") or body.get("display_name") or f"made-{len(self.cluster.objects)}"
        body.setdefault("metadata", {}).setdefault("name", name)
        if path.endswith("/jobs"):
            body["status"] = {"conditions": [{"type": "Complete", "status": "True"}], "succeeded": 1}
            for rule in body["spec"].get("podFailurePolicy", {}).get("rules", ()):
                for condition in rule.get("onPodConditions", ()):
                    condition.setdefault("status", "True")  # what Kubernetes fills in
        if "/v2beta1/" in path:
            del body["metadata"]
            body |= {"experiment_id": "an-experiment", "run_id": "a-run", "recurring_run_id": "a-recurring-run"}
        self.cluster.objects[f"{path}/{name}"] = body
        self._answer(201, body)

    def do_PATCH(self) -> None:
        body = self._body()
        made = self.cluster.objects.setdefault(self.path.split("?")[0], {})
        for key, value in body.get("metadata", {}).items():
            made.setdefault("metadata", {}).setdefault(key, {}).update(value)
        self._answer(200, made)

    def do_DELETE(self) -> None:
        self._answer(200, {"kind": "Status", "status": "Success"})

    def _body(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        return content

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Stay silent."""
