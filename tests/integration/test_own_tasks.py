"""Tasks of a user's own from a data set to the trained model: trained, saved, and known wherever the model is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

import florence2
from florence2.cli import app
from florence2.codec import task_table
from florence2.config import DatasetConfig, ModelConfig, TaskConfig, TrainingConfig
from florence2.datasets import DatasetManifest, ingest
from florence2.model import Florence2, load_base, load_named, named_tasks
from florence2.model.own_tasks import add_tasks, new_token_ids
from florence2.sdk import Model
from florence2.training import fit
from tests.builders import annotation, write_dataset, write_image
from tests.integration.project import Project

OWN = task_table({"<SHOP>": TaskConfig(answer="answer", title="Name the shop", new_token=True)})
NANO = ModelConfig(base="builtin:nano")


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lines = [annotation(prefix="<SHOP>", suffix=shop) for shop in ("ACME", "BEST", "CORNER", "DELI")]
    return write_dataset(tmp_path_factory.mktemp("shops") / "data", {"train": lines * 2, "valid": lines, "test": lines})


@pytest.fixture(scope="module")
def splits(shops: Path) -> DatasetManifest:
    return ingest(DatasetConfig(source=str(shops)), OWN)


def rows(model: Florence2) -> torch.Tensor:
    weight: torch.Tensor = model.model.get_input_embeddings().weight.detach()  # type: ignore[operator]
    return weight[new_token_ids(model, OWN)]


@pytest.mark.parametrize("strategy", ["lora", "freeze"])
def test_the_row_of_a_new_token_is_trained_and_kept(strategy: str, splits: DatasetManifest, tmp_path: Path) -> None:
    training = TrainingConfig(strategy=strategy, epochs=1, batch_size=4, learning_rate=1e-2, seed=1)
    checkpoint = fit(splits, NANO, training, tmp_path / "checkpoint")
    base = load_base(NANO)
    add_tasks(base, OWN)
    trained = checkpoint.load()
    assert trained.tasks == OWN == checkpoint.tasks == named_tasks(str(checkpoint.folder))
    assert not torch.equal(rows(trained), rows(base))
    exported = load_named(str(checkpoint.export(tmp_path / "exported")))
    assert torch.equal(rows(exported), rows(trained))
    assert exported.tasks == OWN


def test_a_trained_model_needs_no_option_for_its_tasks(
    shops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    train = ["train", "--dataset", str(shops), "--task", "<SHOP>=answer,new_token", "--model", "builtin:nano"]
    result = CliRunner().invoke(app, [*train, "--epochs", "1", "--batch-size", "4", "--max-new-tokens", "8"])
    assert result.exit_code == 0, result.output
    assert "<SHOP>" in (tmp_path / "runs/1/configuration.yaml").read_text(encoding="utf-8")
    evaluated = florence2.evaluate("runs/1", {"dataset": str(shops), "max_new_tokens": 8})
    assert "vqa_accuracy" in evaluated.metrics
    image = next((shops / "test").glob("*.png"))
    answer = CliRunner().invoke(app, ["predict", str(image), "--model", "runs/1", "--prefix", "<SHOP>"])
    assert answer.exit_code == 0, answer.output
    unknown = CliRunner().invoke(app, ["predict", str(image), "--model", "builtin:nano", "--prefix", "<SHOP>"])
    assert "starts with no task token" in str(unknown.exception or unknown.output)
    foreign = [
        "predict",
        str(image),
        "--model",
        "builtin:nano",
        "--prefix",
        "Which shop is it?",
        "--task",
        "<ANY>=answer",
    ]
    assert CliRunner().invoke(app, [*foreign, "--max-new-tokens", "4"]).exit_code == 0


def test_a_set_of_plain_sentences_trains_without_a_token(tmp_path: Path) -> None:
    lines = [annotation(prefix=f"Which shop has {n} doors?", suffix="ACME") for n in range(4)]
    data = write_dataset(tmp_path / "data", {"train": lines * 2, "valid": lines, "test": lines})
    result = florence2.train(
        {"dataset": str(data), "base": "builtin:nano", "epochs": 1, "batch_size": 4, "max_new_tokens": 8},
        tmp_path / "runs",
    )
    assert result.load().predict(next((data / "test").glob("*.png")), "Which shop has 9 doors?").text is not None
    assert result.report.task_tokens == ["<ANY>"]


def test_answers_in_json_are_generated_within_its_grammar(tmp_path: Path) -> None:
    model = load_base(NANO)
    add_tasks(model, task_table({"<RECEIPT>": TaskConfig(answer="json")}))
    image = write_image(tmp_path / "a.png")
    found = Model(model, "nano").predict(image, "<RECEIPT>", max_new_tokens=30)
    free = Model(model, "nano").predict(image, "<RECEIPT>", max_new_tokens=30, grammar="off")
    assert found.text.startswith("{")
    assert not free.text.startswith("{")


def test_the_pipelines_train_and_promote_by_the_fields_of_json(project: Project, tmp_path: Path) -> None:
    values = [json.dumps({"company": shop, "total": f"{n}.50"}) for n, shop in enumerate(("ACME", "BEST") * 4)]
    lines = {
        split: [annotation(f"{split}-{n}.png", "<RECEIPT>", value) for n, value in enumerate(values[:count])]
        for split, count in {"train": 8, "valid": 2, "test": 4}.items()
    }
    sections: dict[str, Any] = {
        "dataset": {"source": str(write_dataset(tmp_path / "receipts", lines))},
        "tasks": {"<RECEIPT>": {"answer": "json", "new_token": True}},
        "model": {"base": "builtin:nano"},
        "training": {"epochs": 1, "batch_size": 8},
        "evaluation": {"max_new_tokens": 24, "resamples": 20},
        "registration": {"model_name": "receipts"},
    }
    run = project.run("receipts", sections)
    assert run.status == 0, run.output
    assert "json_field_f1" in json.dumps(run.summary)
    # A model of one epoch answers nothing: what counts is that the fields decide.
    policy = {"primary": "json_field_f1", "minimum": 0.0, "valid_answers": 0.0, "floor": False, "seconds_per_image": 60}
    promoted = project.run("receipts-promotion", sections | {"promotion": policy}, "florence_promote")
    assert promoted.status == 0, promoted.output
    assert promoted.summary["verdict"] == "promote"
    page = (project.root / "outputs" / "receipts-promotion" / "decision.html").read_text(encoding="utf-8")
    assert "JSON fields, F1" in page
