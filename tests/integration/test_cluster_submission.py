"""What reaches a cluster: stacks from their files, and the pipeline as Kubeflow and Kubernetes are sent it.

A ZenML server, an S3 server and the HTTP interfaces of a cluster run on this machine; one process does all that a user
does. Nothing is replaced in ZenML, kfp or this project.
"""

from __future__ import annotations

import base64
import copy
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.cluster import Cluster, imitated_cluster, write_kubeconfig
from tests.integration.forked import run_forked
from tests.integration.project import Project
from tests.integration.zenml_server import ZenMLServer, zenml_server

_ROOT = Path(__file__).resolve().parents[2]
_CRON = "0 3 * * *"
# Every step, and the steps that it needs.
_EDGES = {
    "ingest_dataset": set(),
    "validate_annotations": {"ingest_dataset"},
    "split_dataset": {"validate_annotations"},
    "choose_recipe": {"split_dataset"},
    "choose_learning_rate": {"split_dataset", "choose_recipe"},
    "fine_tune": {"split_dataset", "choose_learning_rate"},
    "evaluate_model": {"split_dataset", "choose_recipe", "choose_learning_rate", "fine_tune"},
    "register_model": {"split_dataset", "choose_recipe", "choose_learning_rate", "fine_tune", "evaluate_model"},
}
_PLACED = {
    "node_selectors": {"pool": "gpu"},
    "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
    "image_pull_secrets": ["registry"],
}
_ON_GPU = {"choose_learning_rate", "fine_tune", "evaluate_model"}


def _image_of(step: str) -> str:
    """Return the image that a step runs in: there is one with CUDA, and one without."""
    return f"registry.example.org/team/florence2:{'cuda' if step in _ON_GPU else 'cpu'}"


@dataclass(frozen=True)
class _Sent:
    """The results of the tasks.

    Attributes:
        outcomes: exit status and output of each task, by its name.
        kubeflow: what Kubeflow Pipelines was sent.
        kubernetes: what Kubernetes was sent.
        server: the ZenML server.
        root: folder of the user's project.
    """

    outcomes: dict[str, tuple[int, str]]
    kubeflow: Cluster
    kubernetes: Cluster
    server: ZenMLServer
    root: Path


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Sent]:
    import boto3
    from moto.server import ThreadedMotoServer

    root = tmp_path_factory.mktemp("submitter")
    Project.copy_code_to(root)
    s3 = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    s3.start()
    host, port = s3.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    ).create_bucket(Bucket="bucket")
    try:
        with (
            zenml_server(tmp_path_factory.mktemp("server")) as server,
            imitated_cluster() as kubeflow,
            imitated_cluster() as kubernetes,
        ):
            outcomes = _do(root, server, kubeflow, kubernetes, endpoint)
            yield _Sent(outcomes, kubeflow, kubernetes, server, root)
    finally:
        s3.stop()


def _do(root: Path, server: ZenMLServer, kubeflow: Cluster, kubernetes: Cluster, s3: str) -> dict[str, tuple[int, str]]:
    """Apply the stacks and run the pipeline on them, in one process."""
    run = yaml.safe_load((_ROOT / "configs" / "remote.yaml").read_text())
    for step in _EDGES:
        docker = {"parent_image": _image_of(step), "skip_build": True}
        run["steps"].setdefault(step, {}).setdefault("settings", {})["docker"] = docker
    run["settings"]["docker"] = {"parent_image": _image_of("the pipeline"), "skip_build": True}
    (root / "run.yaml").write_text(yaml.safe_dump(run))
    scheduled = copy.deepcopy(run) | {"schedule": {"cron_expression": _CRON}}
    scheduled["steps"]["fine_tune"]["settings"]["orchestrator"] = {
        "pod_settings": _PLACED,
        "gpu_resource": "amd.com/gpu",
    }
    (root / "scheduled.yaml").write_text(yaml.safe_dump(scheduled))
    (root / "interval.yaml").write_text(
        yaml.safe_dump(run | {"schedule": {"interval_second": 3600, "start_time": "2030-01-01T00:00:00"}})
    )
    changed = yaml.safe_load((root / "configs" / "stacks" / "kubeflow.yaml").read_text())
    changed["components"]["orchestrator"]["configuration"]["kubeflow_namespace"] = "pipelines"
    del changed["components"]["orchestrator"]["configuration"]["synchronous"]
    (root / "changed.yaml").write_text(yaml.safe_dump(changed))
    smaller = copy.deepcopy(changed)
    del smaller["components"]["model_registry"]
    (root / "smaller.yaml").write_text(yaml.safe_dump(smaller))
    wrong = copy.deepcopy(changed)
    wrong["components"]["orchestrator"] = {"flavor": "kubeflow_gpus"}
    wrong["components"]["artifact_store"]["configuration"] |= {"pth": "s3://bucket", "secret": "hidden-in-a-file"}
    wrong["components"]["container_registry"]["configuration"] = {}
    (root / "wrong.yaml").write_text(yaml.safe_dump(wrong))
    (root / "theirs.yaml").write_text(yaml.safe_dump(changed | {"name": "theirs"}))
    changed["components"]["artifact_store"]["configuration"]["path"] = "s3://gone/florence2"
    (root / "gone.yaml").write_text(yaml.safe_dump(changed | {"name": "gone"}))
    write_kubeconfig(root / "kubeconfig", kubernetes, "a-context")
    tasks = {
        "newer kfp": ["apply", "configs/stacks/kubeflow.yaml"],
        "older kfp": ["remove", "kfp-2.17.0.dist-info"],
        "without secrets": ["apply", "configs/stacks/kubeflow.yaml"],
        "first secret": ["secret", "florence2_s3", "key", "secret"],
        "second secret": ["secret", "florence2_mlflow", "username", "password"],
        "kubeflow": ["apply", "configs/stacks/kubeflow.yaml", "--activate"],
        "kubeflow again": ["apply", "configs/stacks/kubeflow.yaml"],
        "kubeflow run": ["run", "run.yaml"],
        "kubeflow schedule": ["run", "scheduled.yaml"],
        "changed, dry": ["apply", "changed.yaml", "--dry-run"],
        "changed": ["apply", "changed.yaml", "--no-activate"],
        "smaller": ["apply", "smaller.yaml", "--no-activate"],
        "smaller again": ["apply", "smaller.yaml", "--no-activate"],
        "wrong": ["apply", "wrong.yaml"],
        "kubernetes": ["apply", "configs/stacks/kubernetes.yaml", "--activate"],
        "kubernetes run": ["run", "run.yaml"],
        "kubernetes pod": ["pod"],
        "kubernetes schedule": ["run", "scheduled.yaml"],
        "kubernetes interval": ["run", "interval.yaml"],
        "a deployer by hand": ["add_deployer", "florence2-kubernetes"],
        "kubernetes again": ["apply", "configs/stacks/kubernetes.yaml"],
        "by hand": ["by_hand", "theirs", "s3://bucket/theirs"],
        "theirs": ["apply", "theirs.yaml"],
        "gone": ["apply", "gone.yaml"],
    }
    newer = root / "kfp-2.17.0.dist-info"
    newer.mkdir()
    (newer / "METADATA").write_text("Metadata-Version: 2.1\nName: kfp\nVersion: 2.17.0\n")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ZENML_")},
        **server.environment(root / ".store"),
        "PYTHONPATH": str(root),
        "XDG_CACHE_HOME": str(root / ".cache"),
        "ZENML_ANALYTICS_OPT_IN": "false",
        "ZENML_LOGGING_COLORS_DISABLED": "true",
        "COLUMNS": "200",
        "KUBECONFIG": str(root / "kubeconfig"),
        "KUBERNETES_CONTEXT": "a-context",
        "KUBEFLOW_HOST": f"{kubeflow.url}/pipeline",
        "ARTIFACT_STORE": "s3://bucket/florence2",
        "CONTAINER_REGISTRY": "registry.example.org/team",
        "MLFLOW_TRACKING_URI": "https://mlflow.example.org",
        "AWS_ENDPOINT_URL": s3,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    shutil.copy(Path(__file__).with_name("cluster_driver.py"), root)
    wrong_key = {"ZENML_STORE_API_KEY": server.api_key[:-8], "ZENML_CONFIG_PATH": str(root / ".other")}
    refused = _ended(root, environment | wrong_key, {"wrong key": ["apply", "configs/stacks/local.yaml"]})
    return refused | _ended(root, environment, tasks)


def _ended(root: Path, environment: dict[str, str], tasks: dict[str, list[str]]) -> dict[str, tuple[int, str]]:
    """Do tasks in a process; see the driver."""
    (root / "tasks.json").write_text(json.dumps(list(tasks.values())))
    command = [sys.executable, "cluster_driver.py", "tasks.json"]
    done = run_forked(command, root, environment)
    assert done.returncode == 0, done.stdout + done.stderr
    ended = json.loads((root / "outcomes.json").read_text())
    return {name: (status, output) for name, (status, output) in zip(tasks, ended, strict=True)}


# --- stacks from files ---------------------------------------------------------------------------------------------


def test_credentials_that_the_server_does_not_take_end_in_a_sentence(sent: _Sent) -> None:
    status, output = sent.outcomes["wrong key"]
    assert status == 1
    assert f"the ZenML server {sent.server.url} does not accept your credentials" in output
    assert f"zenml login {sent.server.url}" in output
    assert "Traceback" not in output


def test_a_kfp_that_cannot_compile_is_refused_with_the_command(sent: _Sent) -> None:
    status, output = sent.outcomes["newer kfp"]
    assert status == 1
    assert "nothing done" in output
    assert "kfp 2.17.0 does not work here" in output
    assert "pip install 'florence2-finetune[kubeflow]'" in output
    assert "kfp" not in sent.outcomes["without secrets"][1].split("missing:")[1]


def test_a_stack_whose_secrets_are_absent_is_not_applied_and_the_commands_are_shown(sent: _Sent) -> None:
    status, output = sent.outcomes["without secrets"]
    assert status == 1
    assert "nothing done" in output
    assert "zenml secret create florence2_s3 --key=... --secret=..." in output


def test_a_stack_is_created_and_a_second_time_changes_nothing(sent: _Sent) -> None:
    _, first = sent.outcomes["kubeflow"]
    assert first.count(" created ") == 7
    _, again = sent.outcomes["kubeflow again"]
    assert again.count(" unchanged ") == 7
    assert "stack florence2-kubeflow: nothing to change" in again


def test_a_changed_value_updates_its_component_only(sent: _Sent) -> None:
    for task, word in (("changed, dry", "to update"), ("changed", "updated")):
        _, output = sent.outcomes[task]
        (line,) = [line for line in output.splitlines() if f"{word}: " in line]
        assert "orchestrator" in line
        assert f"{word}: kubeflow_namespace, synchronous " in line
        assert output.count(" unchanged ") == 6


def test_a_component_that_the_file_no_longer_names_leaves_the_stack(sent: _Sent) -> None:
    _, output = sent.outcomes["smaller"]
    (line,) = [line for line in output.splitlines() if "updated: " in line]
    assert "updated: model_registry " in line
    assert "nothing to change" in sent.outcomes["smaller again"][1]


def test_a_component_that_was_added_by_hand_stays_in_the_stack(sent: _Sent) -> None:
    assert sent.outcomes["a deployer by hand"][0] == 0, sent.outcomes["a deployer by hand"][1]
    assert "stack florence2-kubernetes: nothing to change" in sent.outcomes["kubernetes again"][1]


def test_all_that_is_wrong_with_the_settings_is_reported_together(sent: _Sent) -> None:
    status, output = sent.outcomes["wrong"]
    assert status == 1
    assert [line.strip() for line in output.split("error: ")[1].splitlines()[1:]] == [
        "components.orchestrator.flavor: unknown flavour 'kubeflow_gpus'; did you mean 'kubeflow_gpu'?",
        "components.artifact_store.configuration.pth: unknown key; did you mean 'path'?",
        "components.artifact_store.configuration.secret: is a secret and must not be in a file;"
        ' `zenml secret create NAME --secret=...` and write secret: "{{NAME.secret}}"',
        "components.container_registry.configuration.uri: Field required",
    ]


def test_what_somebody_else_made_is_not_changed(sent: _Sent) -> None:
    status, output = sent.outcomes["theirs"]
    assert status == 1
    assert "artifact store 'theirs' exists, was not made by this command and differs in: key, path, secret" in output


def test_an_artifact_store_that_does_not_answer_is_reported_with_its_reason(sent: _Sent) -> None:
    status, output = sent.outcomes["gone"]
    assert status == 1
    assert "the artifact store s3://gone/florence2 does not answer: no such bucket" in output
    assert "active in" not in output


def test_a_server_that_the_cluster_cannot_reach_is_reported_as_missing(sent: _Sent) -> None:
    status, output = sent.outcomes["kubeflow"]
    assert status == 1
    assert f"the store {sent.server.url} is on this machine" in output
    assert "zenml login https://" in output


# --- Kubeflow Pipelines --------------------------------------------------------------------------------------------


def _documents(sent: _Sent, resource: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the pipeline and the platform document of the only run or recurring run."""
    (made,) = sent.kubeflow.sent(resource)
    return made["pipeline_spec"]["pipeline_spec"], made["pipeline_spec"]["platform_spec"]["platforms"]["kubernetes"]


def _executors(pipeline: dict[str, Any]) -> dict[str, dict[str, Any]]:
    made = pipeline["deploymentSpec"]["executors"]
    return {name.removeprefix("exec-").replace("-", "_"): executor["container"] for name, executor in made.items()}


def test_kubeflow_is_sent_every_step_with_its_image_and_its_needs(sent: _Sent) -> None:
    assert sent.outcomes["kubeflow run"][0] == 0, sent.outcomes["kubeflow run"][1]
    pipeline, _ = _documents(sent, "runs")
    executors = _executors(pipeline)
    assert executors.keys() == _EDGES.keys()
    for name, container in executors.items():
        assert container["image"] == _image_of(name)
        assert container["args"][-2:] == ["--step_name", name]
    tasks = pipeline["root"]["dag"]["tasks"]
    edges = {name: {need.replace("-", "_") for need in task.get("dependentTasks", ())} for name, task in tasks.items()}
    assert {name.replace("-", "_"): needs for name, needs in edges.items()} == _EDGES


def test_kubeflow_gives_gpus_to_the_steps_that_request_them_and_to_no_other(sent: _Sent) -> None:
    pipeline, _ = _documents(sent, "runs")
    for name, container in _executors(pipeline).items():
        resources = container["resources"]
        assert resources.get("accelerator", {}).get("resourceType") == ("nvidia.com/gpu" if name in _ON_GPU else None)
        assert resources.get("accelerator", {}).get("resourceCount") == ("1" if name in _ON_GPU else None)
        cpu, memory = ("8", "32G") if name in _ON_GPU else ("2", "8G")
        assert (resources["resourceCpuRequest"], resources["resourceMemoryRequest"]) == (cpu, memory)
        assert (resources["resourceCpuLimit"], resources["resourceMemoryLimit"]) == (cpu, memory)


def test_kubeflow_starts_a_failed_step_again(sent: _Sent) -> None:
    pipeline, _ = _documents(sent, "runs")
    policies = {
        name.replace("-", "_"): task["retryPolicy"]
        for name, task in pipeline["root"]["dag"]["tasks"].items()
        if "retryPolicy" in task
    }
    assert policies.keys() == _ON_GPU
    assert policies["fine_tune"]["maxRetryCount"] == 2
    assert policies["fine_tune"]["backoffDuration"] == "60s"


def test_kubeflow_starts_runs_by_the_schedule(sent: _Sent) -> None:
    assert sent.outcomes["kubeflow schedule"][0] == 0, sent.outcomes["kubeflow schedule"][1]
    (recurring,) = sent.kubeflow.sent("recurringruns")
    # Kubeflow counts seconds: a cron expression of five fields gets a sixth.
    assert recurring["trigger"]["cron_schedule"]["cron"] in (_CRON, f"0 {_CRON}")
    assert _executors(_documents(sent, "recurringruns")[0]).keys() == _EDGES.keys()


def test_kubeflow_reads_the_key_of_the_zenml_server_from_a_secret(sent: _Sent) -> None:
    _, platform = _documents(sent, "runs")
    executors = platform["deploymentSpec"]["executors"]
    assert len(executors) == len(_EDGES)
    for executor in executors.values():
        (secret,) = executor["secretAsEnv"]
        assert secret["secretName"] == "zenml-api-key"
        assert secret["keyToEnv"] == [{"envVar": "ZENML_STORE_API_KEY", "secretKey": "ZENML_STORE_API_KEY"}]


def test_kubeflow_schedules_a_step_where_its_settings_say(sent: _Sent) -> None:
    pipeline, platform = _documents(sent, "recurringruns")
    assert _executors(pipeline)["fine_tune"]["resources"]["accelerator"]["resourceType"] == "amd.com/gpu"
    assert _executors(pipeline)["evaluate_model"]["resources"]["accelerator"]["resourceType"] == "nvidia.com/gpu"
    placed = {name: e for name, e in platform["deploymentSpec"]["executors"].items() if "nodeSelector" in e}
    assert placed.keys() == {"exec-fine-tune"}
    (executor,) = placed.values()
    assert executor["nodeSelector"]["labels"] == _PLACED["node_selectors"]
    assert executor["tolerations"] == _PLACED["tolerations"]
    assert [secret["secretName"] for secret in executor["imagePullSecret"]] == _PLACED["image_pull_secrets"]


# --- Kubernetes ----------------------------------------------------------------------------------------------------


def _step_jobs(sent: _Sent) -> dict[str, dict[str, Any]]:
    """Return the Job of each step, in the order in which they were made."""
    named = {
        job["metadata"].get("annotations", {}).get("zenml.io/step-name"): job for job in sent.kubernetes.sent("jobs")
    }
    jobs = {name: job for name, job in named.items() if name}
    assert jobs.keys() == _EDGES.keys(), sent.outcomes["kubernetes pod"][1]
    return jobs


def test_kubernetes_is_sent_a_job_for_every_step_after_those_that_it_needs(sent: _Sent) -> None:
    assert sent.outcomes["kubernetes run"][0] == 0, sent.outcomes["kubernetes run"][1]
    jobs = _step_jobs(sent)
    order = list(jobs)
    for name, job in jobs.items():
        (container,) = job["spec"]["template"]["spec"]["containers"]
        assert container["image"] == _image_of(name)
        assert container["args"][-2:] == ["--step_name", name]
        assert all(order.index(need) < order.index(name) for need in _EDGES[name])


def test_kubernetes_gives_gpus_to_the_steps_that_request_them_and_to_no_other(sent: _Sent) -> None:
    for name, job in _step_jobs(sent).items():
        (container,) = job["spec"]["template"]["spec"]["containers"]
        requested = {"cpu": "8", "memory": "32G"} if name in _ON_GPU else {"cpu": "2", "memory": "8G"}
        assert container["resources"]["requests"] == requested
        assert container["resources"]["limits"] == requested | ({"nvidia.com/gpu": "1"} if name in _ON_GPU else {})


def test_kubernetes_starts_a_failed_step_again(sent: _Sent) -> None:
    limits = {name: job["spec"]["backoffLimit"] for name, job in _step_jobs(sent).items()}
    assert limits == dict.fromkeys(_EDGES, 0) | {"choose_learning_rate": 2, "fine_tune": 2, "evaluate_model": 1}


def test_kubernetes_starts_runs_by_the_schedule(sent: _Sent) -> None:
    assert sent.outcomes["kubernetes schedule"][0] == 0, sent.outcomes["kubernetes schedule"][1]
    (cron_job,) = sent.kubernetes.sent("cronjobs")
    assert cron_job["spec"]["schedule"] == _CRON
    (container,) = cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == _image_of("the pipeline")


def test_kubernetes_takes_no_schedule_by_intervals(sent: _Sent) -> None:
    status, output = sent.outcomes["kubernetes interval"]
    assert status == 1
    assert "(kubernetes_gpu) accepts a cron_expression only" in output


# --- both ----------------------------------------------------------------------------------------------------------


def _text(sent: _Sent) -> str:
    """Return everything that was sent, but for the Secrets, which are made to hold values."""
    kubernetes = {path: made for path, made in sent.kubernetes.objects.items() if "/secrets/" not in path}
    text = json.dumps([sent.kubeflow.objects, kubernetes])
    assert text.count("--step_name") == 3 * len(_EDGES)
    return text


def test_no_path_of_the_submitting_machine_is_sent(sent: _Sent) -> None:
    text = _text(sent)
    for path in (sent.root, _ROOT, Path.home(), sent.root.parents[-2], Path(sys.prefix)):
        assert f'"{path}' not in text
        assert f"{path}/" not in text or path == Path("/")


def test_no_value_of_a_secret_is_sent_outside_secrets(sent: _Sent) -> None:
    text = _text(sent)
    secrets = [made for path, made in sent.kubernetes.objects.items() if "/secrets/" in path]
    tokens = [base64.b64decode(value).decode() for made in secrets for value in made["data"].values()]
    assert tokens
    for value in (*tokens, sent.server.api_key, "hidden-", "a-password", "a-cluster-token"):
        assert value not in text
