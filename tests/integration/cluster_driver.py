"""Does, in one process, what a user and the cluster do with stacks; starting ZenML for each takes ten seconds.

``python cluster_driver.py TASKS.json``: each task is a list with the name of a function below and its arguments. Writes
``outcomes.json``: exit status and output of each.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import logging
import shutil
import socket
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

_POD = "orchestrator-pod"


def apply(*arguments: str) -> None:
    from pipelines.stack_command import stack

    stack(args=["apply", *arguments], standalone_mode=False)


def run(config: str) -> None:
    pipeline: Any = importlib.import_module("florence_finetune")
    pipeline.with_options(config_path=config)()


def secret(name: str, *keys: str) -> None:
    from zenml.client import Client

    Client().create_secret(name, {key: f"hidden-{key}" for key in keys})


def remove(folder: str) -> None:
    shutil.rmtree(folder)


def by_hand(name: str, path: str) -> None:
    from zenml.client import Client
    from zenml.enums import StackComponentType

    Client().create_stack_component(name, "s3", StackComponentType.ARTIFACT_STORE, {"path": path})


def add_deployer(stack: str) -> None:
    from zenml.client import Client
    from zenml.enums import StackComponentType

    made = Client().create_stack_component("added", "local", StackComponentType.DEPLOYER, {})
    Client().update_stack(stack, component_updates={StackComponentType.DEPLOYER: [made.id]})


def pod() -> None:
    """Be the pod that starts the steps of the only Job."""
    from kubernetes import client, config
    from zenml.integrations.kubernetes.orchestrators.kubernetes_orchestrator_entrypoint import main

    config.load_kube_config()
    (job,) = client.BatchV1Api().list_namespaced_job("zenml").items
    metadata = {"name": _POD, "labels": {"job-name": job.metadata.name}}
    client.CoreV1Api().create_namespaced_pod("zenml", {"metadata": metadata, "spec": {"containers": []}})
    arguments = job.spec.template.spec.containers[0].args
    # Those of ZenML's own start, which loads the code, come first.
    sys.argv = ["pod", *arguments[arguments.index("--snapshot_id") :]]
    socket.gethostname = lambda: _POD
    main()


_TASKS: dict[str, Callable[..., None]] = {
    task.__name__: task for task in (apply, run, secret, by_hand, add_deployer, remove, pod)
}


def _ended(task: list[str]) -> tuple[int, str]:
    from florence2.errors import Florence2Error

    printed = io.StringIO()
    # ZenML writes its log to the terminal that it found when it was imported.
    logging.getLogger("zenml").addHandler(handler := logging.StreamHandler(printed))
    with contextlib.redirect_stderr(printed), contextlib.redirect_stdout(printed):
        try:
            _TASKS[task[0]](*task[1:])
        except SystemExit as exc:
            return (exc.code if isinstance(exc.code, int) else 1), printed.getvalue()
        except Florence2Error as exc:
            return exc.exit_status, f"{printed.getvalue()}\nerror: {exc}"
        except Exception:
            return 70, printed.getvalue() + traceback.format_exc()
        finally:
            logging.getLogger("zenml").removeHandler(handler)
    return 0, printed.getvalue()


if __name__ == "__main__":
    tasks = json.loads(Path(sys.argv[1]).read_text())
    Path("outcomes.json").write_text(json.dumps([_ended(task) for task in tasks]))
