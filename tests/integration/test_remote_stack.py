"""A remote stack, imitated by real parts: steps get everything by an address, and nothing shows a path or a secret."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import s3fs  # type: ignore[import-untyped]
import yaml

from florence2.datasets.formats import read_dataset
from florence2.datasets.manifest import DatasetManifest
from florence2.datasets.splits.frozen_test import freeze_test
from florence2.model.base import BUILTIN_MODELS
from florence2.storage.packed import is_packed
from tests.builders import write_scenes
from tests.integration.project import STEPS
from tests.integration.remote_stack import SECRETS, RemoteStack

TRAINING = {"epochs": 1, "batch_size": 4, "preview": 1, "best_by": "map50", "engine": {"processes": 2}}
EVALUATION = {"resamples": 10, "examples": 1, "max_new_tokens": 16}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemoteStack]:
    with RemoteStack.running(tmp_path_factory.mktemp("remote") / "stack") as running:
        yield running


def finetune(stack: RemoteStack, machine: str, name: str) -> subprocess.CompletedProcess[str]:
    """Submit from a machine that has the data set, a base and a frozen test in a folder of this name."""
    folder = stack.submitter(machine) / name
    scenes = write_scenes(folder / "scenes", train=6, valid=2, test=2)
    shutil.copytree(BUILTIN_MODELS["builtin:nano"], folder / "base")
    freeze_test(read_dataset(scenes)).save(folder / "test.json")
    (folder / "mine.yaml").write_text("title: mine\nfamilies: {nano: {samples: 100, training: {warmup: 0.2}}}\n")
    parameters = {
        "dataset": {"source": str(scenes)},
        "split": {"frozen_test": str(folder / "test.json")},
        "model": {"base": str(folder / "base")},
        "training": {**TRAINING, "recipe": str(folder / "mine.yaml")},
        "evaluation": EVALUATION,
    }
    (stack.submitter(machine) / "tiny.yaml").write_text(yaml.safe_dump({"parameters": parameters}))
    return stack.submit(machine, ["zenml", "pipeline", "run", "florence_finetune", "-c", "tiny.yaml"])


def summary_of(stack: RemoteStack, machine: str) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((stack.submitter(machine) / "outputs/tiny/summary.json").read_text())
    return summary


@pytest.fixture(scope="module")
def submitted(stack: RemoteStack) -> subprocess.CompletedProcess[str]:
    return finetune(stack, "first", "my data")


@pytest.fixture(scope="module")
def objects(stack: RemoteStack, submitted: object) -> dict[str, bytes]:
    """Everything in the object store after a run, by its key."""
    files = s3fs.S3FileSystem(key="any", secret="any", client_kwargs={"endpoint_url": stack.store})
    return {path: files.cat_file(path) for path in files.find("zen")}


def test_the_pipeline_passes_from_a_folder_to_a_registered_model(
    stack: RemoteStack, submitted: subprocess.CompletedProcess[str]
) -> None:
    assert submitted.returncode == 0, submitted.stdout + submitted.stderr
    summary = summary_of(stack, "first")
    assert summary["executed_steps"] == STEPS
    assert summary["tracking_uri"] == stack.tracker
    assert summary["version"] == "1"


def test_each_step_ran_on_a_machine_of_its_own(stack: RemoteStack, submitted: object) -> None:
    machines = sorted((stack.folder / "machines").iterdir())
    assert sorted(machine.name.rpartition("-")[0] for machine in machines) == sorted(STEPS)
    fetched = {
        machine.name.rpartition("-")[0]: len([*machine.glob("cache/florence2/packed/*/")]) for machine in machines
    }
    assert fetched == {
        "ingest_dataset": 1,  # the data set
        "validate_annotations": 1,  # the base, for its tokens
        "split_dataset": 2,  # the frozen test, and the data set for its samples
        "choose_recipe": 2,  # data set and base
        "choose_learning_rate": 0,  # nothing is searched for
        "fine_tune": 2,
        "evaluate_model": 2,
        "register_model": 1,  # the base, of which the adapter is one
    }


def test_no_step_and_no_artifact_knows_where_the_submitter_kept_anything(
    stack: RemoteStack, objects: dict[str, bytes], tmp_path: Path
) -> None:
    here = str(stack.submitter("first")).encode()
    assert [key for key, content in objects.items() if here in content] == []
    assert any(b'"warmup": 0.2' in content for content in objects.values()), "the recipe of the submitter was taken"
    assert here not in (stack.folder / "servers/mlflow.db").read_bytes()
    parameters = step_parameters(stack)
    assert len(parameters) >= len(STEPS)
    assert [text for text in parameters if here.decode() in text] == []
    locations = set()
    for key in (key for key in objects if key.endswith("/manifest.json")):
        for name in ("manifest.json", "manifest.parquet", "images.parquet"):
            (tmp_path / name).write_bytes(objects[f"{key.rpartition('/')[0]}/{name}"])
        manifest = DatasetManifest.load(tmp_path)
        locations.add(manifest.source)
        assert not manifest.table["image"].str.startswith("/").any()
    assert [is_packed(name) and name.startswith("s3://zen/artifacts/florence2/") for name in locations] == [True]


def step_parameters(stack: RemoteStack) -> list[str]:
    """Return what the ZenML server keeps of each step: its whole configuration."""
    (database,) = (stack.folder / "servers").rglob("zenml.db")
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        return [text for (text,) in connection.execute("SELECT config FROM step_configuration")]


def test_no_secret_leaks(
    stack: RemoteStack, submitted: subprocess.CompletedProcess[str], objects: dict[str, bytes]
) -> None:
    texts = {
        "terminal": (submitted.stdout + submitted.stderr).encode(),
        "mlflow": (stack.folder / "servers/mlflow.db").read_bytes(),
        **objects,
        **{str(log): log.read_bytes() for log in (stack.folder / "machines").glob("*/step.log")},
        **{f"step {number}": text.encode() for number, text in enumerate(step_parameters(stack))},
    }
    assert len(texts) > 20
    leaked = [
        (name, secret) for name, content in texts.items() for secret in SECRETS.values() if secret.encode() in content
    ]
    assert leaked == []


def test_the_training_was_kept_in_the_store(objects: dict[str, bytes]) -> None:
    (index,) = (json.loads(objects[key]) for key in objects if "/runs/" in key and key.endswith("/index.json"))
    assert index["finished"]["best_step"] > 0
    assert list(index["saves"]) == [f"checkpoint-{index['finished']['best_step']}"]


def test_another_machine_with_the_same_content_trains_nothing(stack: RemoteStack, objects: dict[str, bytes]) -> None:
    done = finetune(stack, "second", "elsewhere")
    assert done.returncode == 0, done.stdout + done.stderr
    assert summary_of(stack, "second")["cached_steps"] == STEPS
    assert "shards were sent" not in done.stdout + done.stderr


def test_answers_are_kept_in_the_store_with_its_credentials(stack: RemoteStack) -> None:
    """Steps have no other: their environment names neither the server nor a key."""
    folder = write_scenes(stack.submitter("first") / "images", test=2) / "test"
    parameters = {"images": {"folder": str(folder)}, "evaluation": {"max_new_tokens": 16}}
    (stack.submitter("first") / "answers.yaml").write_text(yaml.safe_dump({"parameters": parameters}))
    done = stack.submit("first", ["zenml", "pipeline", "run", "florence_predict", "-c", "answers.yaml"])
    assert done.returncode == 0, done.stdout + done.stderr
    files = s3fs.S3FileSystem(key="any", secret="any", client_kwargs={"endpoint_url": stack.store})
    files.invalidate_cache()  # another test has listed them
    (answers,) = files.glob("zen/artifacts/florence2/packed/*-predictions")
    lines = files.cat_file(f"{answers}/predictions.jsonl").decode().splitlines()
    assert [json.loads(line)["image"] for line in lines] == ["0.png", "1.png"]
    assert not files.exists(f"{answers}/.parts")
