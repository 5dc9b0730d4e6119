"""The road from folder to registry, what is cached on it, and what its end is worth to plain tools."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.builders import write_scenes
from tests.integration.project import STEPS, Outcome, Project
from tests.waiting import wait_for

AFTER_THE_SPLIT = STEPS[STEPS.index("choose_recipe") :]


def parameters(data: Path, **training: Any) -> dict[str, Any]:
    return {
        "dataset": {"source": str(data)},
        "model": {"base": "builtin:nano"},
        "training": {"epochs": 1, "batch_size": 8, **training},
        "evaluation": {"max_new_tokens": 32},
    }


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scenes(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def first(project: Project, data: Path) -> Outcome:
    return project.run("first", parameters(data))


def test_it_runs_every_step_and_sums_up(first: Outcome) -> None:
    assert first.status == 0, first.output
    assert first.summary["executed_steps"] == STEPS
    assert first.summary["cached_steps"] == []
    assert {"map50", "map", "vqa_accuracy"} <= set(first.summary["before"]) & set(first.summary["after"])
    assert "<!doctype html>" in Path(first.summary["report"]).read_text().lower()
    assert "fine-tuned" in first.output
    for noise in ("zenml login --local", "free trial", "deprecated", "Writing model shards"):
        assert noise not in first.output, first.output


def test_an_unchanged_second_run_executes_nothing(project: Project, first: Outcome, data: Path) -> None:
    again = project.run("first", parameters(data))
    assert again.summary["executed_steps"] == []
    assert again.summary["cached_steps"] == STEPS
    assert again.summary["after"] == first.summary["after"]
    assert again.summary["model_uri"] == first.summary["model_uri"]


def test_an_edit_of_the_evaluation_evaluates_again_and_trains_nothing(
    project: Project, first: Outcome, data: Path
) -> None:
    assert first.status == 0
    project.edit("florence2/evaluation/metrics/detection.py")
    outcome = project.run("first", parameters(data))
    # The same settings are chosen, and the scores are the same, so there is nothing new to register either.
    assert outcome.summary["executed_steps"] == ["choose_recipe", "evaluate_model"]
    assert outcome.summary["model_uri"] == first.summary["model_uri"]


def test_an_edit_of_the_evaluation_trains_again_where_it_chose_the_epoch(
    project: Project, first: Outcome, data: Path
) -> None:
    assert first.status == 0
    by_score = parameters(data, best_by="map50")
    assert "fine_tune" in project.run("score", by_score).summary["executed_steps"]
    project.edit("florence2/evaluation/metrics/detection.py")
    assert "fine_tune" in project.run("score", by_score).summary["executed_steps"]


def test_an_edit_of_ones_own_metric_runs_what_uses_it(project: Project, first: Outcome, data: Path) -> None:
    """The metric imports a module in its folder, and that one is edited."""
    assert first.status == 0
    (project.root / "my_metrics.py").write_text(OWN_METRIC)
    (project.root / "my_words.py").write_text("def first_word(text):\n    return text.split()[:1]\n")
    metrics = {"max_new_tokens": 32, "metrics": ["vqa_accuracy", "my_metrics:FirstWordMetric"]}
    by_loss = parameters(data) | {"evaluation": metrics}
    by_metric = parameters(data, best_by="first_word") | {"evaluation": metrics}
    assert "first_word" in project.run("own_metric", by_loss).summary["after"]
    assert "fine_tune" in project.run("best_by_own_metric", by_metric).summary["executed_steps"]
    project.edit("my_words.py")
    assert project.run("own_metric", by_loss).summary["executed_steps"] == ["choose_recipe", "evaluate_model"]
    again = project.run("best_by_own_metric", by_metric)
    assert "fine_tune" in again.summary["executed_steps"]
    assert "has ended before" not in again.output, "the weights of the run before the edit are not taken"


OWN_METRIC = """
from florence2 import AnswerMetric
from my_words import first_word


class FirstWordMetric(AnswerMetric):
    name = "first_word"

    def score(self, prediction, target):
        return float(first_word(prediction) == first_word(target))

    def describe(self):
        return "Share of answers whose first word is right."
"""


def test_a_killed_training_goes_on_where_it_was_saved(project: Project, first: Outcome, data: Path) -> None:
    """SIGKILL to the whole process group, as a machine that goes down would do; then the same command again."""
    assert first.status == 0
    killed = parameters(data, seed=2, epochs=12, engine={"save_minutes": 0})
    process = project.start("killed", killed)
    runs = project.root / ".cache" / "florence2" / "runs"
    log = project.root / "killed.log"
    wait_for(lambda: last_save(runs) >= 5, lambda: log.read_text() if process.poll() is not None else None)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    again = project.run("killed", killed)
    assert again.status == 0, again.output
    goes_on = re.search(r"the run in \S+ continues from checkpoint-(\d+)", again.output)
    assert goes_on is not None
    assert int(goes_on[1]) >= 5
    assert "epoch 1/12" not in again.output[goes_on.end() :]
    assert "epoch 12/12" in again.output[goes_on.end() :]
    assert not list(runs.glob("*/checkpoint-*/optimizer.pt")), "of a run that has ended the weights are enough"
    shutil.rmtree(runs)
    whole = project.run("whole", parameters(data, seed=2, epochs=12))
    assert whole.summary["after"] == again.summary["after"]
    assert "evaluate_model" in whole.summary["cached_steps"], "the weights are the same to the bit"


def last_save(runs: Path) -> int:
    """Return the step of the last save that is whole; those before it are removed meanwhile."""
    return max(
        (int(file.parent.name.rpartition("-")[2]) for file in runs.glob("*/checkpoint-*/complete.json")), default=0
    )


def test_an_edit_of_the_training_trains_again(project: Project, first: Outcome, data: Path) -> None:
    assert first.status == 0
    project.edit("florence2/training/fitting.py")
    executed = project.run("first", parameters(data)).summary["executed_steps"]
    # The same seed gives the same weights, so what follows stays cached.
    assert executed == ["choose_recipe", "choose_learning_rate", "fine_tune"]


def test_a_setting_of_the_training_trains_again(project: Project, first: Outcome, data: Path) -> None:
    assert first.status == 0
    executed = project.run("seed", parameters(data, seed=1)).summary["executed_steps"]
    assert executed == AFTER_THE_SPLIT


def test_a_searched_learning_rate_is_a_setting_like_one_that_is_given(
    project: Project, first: Outcome, data: Path
) -> None:
    assert first.status == 0
    recipe = {"batch_size": 2, "epochs": 32, "preview": 0}
    searched = project.run("searched", parameters(data, **recipe, learning_rate="auto"))
    assert searched.summary["executed_steps"] == AFTER_THE_SPLIT, searched.output
    reason = re.search(r"learning rate ([\d.e-]+) of \d tried: validation loss", searched.output)
    assert reason is not None, searched.output
    assert "tried: validation loss" in Path(searched.summary["report"]).read_text()
    given = project.run("given", parameters(data, **recipe, learning_rate=float(reason[1])))
    assert "fine_tune" in given.summary["cached_steps"], "the number is part of its cache key"
    again = project.run("searched", parameters(data, **recipe, learning_rate="auto"))
    assert again.summary["executed_steps"] == []


def test_a_setting_without_effect_on_the_result_runs_nothing(project: Project, first: Outcome, data: Path) -> None:
    assert first.status == 0
    course = parameters(data, preview=1, engine={"loader_workers": 1})
    course["evaluation"]["eval_batch_size"] = 3
    assert project.run("course", course).summary["executed_steps"] == []
    # Where something else is trained they still reach the steps, and the record of the model that is registered.
    course["training"]["seed"] = 4
    summary = project.run("course", course).summary
    assert summary["executed_steps"] == AFTER_THE_SPLIT
    code = f"""
import json, mlflow
mlflow.set_tracking_uri({summary["tracking_uri"]!r})
run = mlflow.get_run({summary["mlflow_run_id"]!r})
file = mlflow.artifacts.download_artifacts({summary["model_uri"]!r} + "/artifacts/configuration.json")
print("RESULT" + json.dumps([dict(run.data.params), json.load(open(file))]))
"""
    done = project.execute(["python", "-c", code])
    assert done.returncode == 0, done.stderr
    logged, registered = json.loads(done.stdout.split("RESULT")[1])
    assert (logged["training.engine.loader_workers"], logged["training.preview"]) == ("1", "1")
    assert registered["training"]["engine"]["loader_workers"] == 1
    assert registered["evaluation"]["eval_batch_size"] == 3


def test_what_only_the_report_shows_trains_nothing_where_a_figure_chose_the_epoch(
    project: Project, first: Outcome, data: Path
) -> None:
    assert first.status == 0
    by_figure = parameters(data, best_by="map50")
    project.run("figure", by_figure)
    by_figure["evaluation"]["resamples"] = 20
    executed = project.run("figure", by_figure).summary["executed_steps"]
    assert executed == ["choose_recipe", "evaluate_model", "register_model"]


@pytest.mark.parametrize(("split", "trains"), [("train", True), ("test", False)])
def test_one_pixel_re_runs_what_depends_on_it(
    project: Project, first: Outcome, data: Path, split: str, trains: bool
) -> None:
    assert first.status == 0
    file = data / split / "0.png"
    before = file.read_bytes()
    with Image.open(file) as image:
        image.putpixel((63, 63), (1, 2, 3))
        image.save(file)
    try:
        executed = project.run("pixel", parameters(data)).summary["executed_steps"]
    finally:
        file.write_bytes(before)
    assert {"ingest_dataset", "evaluate_model"} <= set(executed)
    assert ("fine_tune" in executed) is trains


def test_plain_mlflow_loads_the_registered_model_and_predicts(project: Project, first: Outcome, data: Path) -> None:
    code = f"""
import json, mlflow, pandas as pd
mlflow.set_tracking_uri({first.summary["tracking_uri"]!r})
client = mlflow.MlflowClient()
version = client.get_model_version_by_alias("florence2-finetune", "challenger")
model = mlflow.pyfunc.load_model({first.summary["model_uri"]!r})
image = open({str(data / "test" / "0.png")!r}, "rb").read()
questions = pd.DataFrame({{"image": [image, image], "prompt": ["<OD>", "<VQA>what is the colour of the tile?"]}})
run = mlflow.get_run({first.summary["mlflow_run_id"]!r})
steps = len(client.get_metric_history(run.info.run_id, "loss"))
print("RESULT" + json.dumps([model.predict(questions)["answer"].tolist(), version.tags, dict(run.data.metrics),
    dict(run.data.params), steps, [str(model.metadata.get_input_schema()), str(model.metadata.get_output_schema())]]))
"""
    done = project.execute(["python", "-c", code])
    assert done.returncode == 0, done.stderr
    answers, tags, metrics, settings, losses, schema = json.loads(done.stdout.split("RESULT")[1])
    assert len(answers) == 2
    assert "image" in schema[0]
    assert {"data_fingerprint", "base_fingerprint", "strategy", "map50"} <= set(tags)
    assert {"loss", "eval_loss", "before_map50", "after_map50", "after_vqa_accuracy"} <= set(metrics)
    assert {"baseline_map50", "over_baseline_map50", "baseline_vqa_accuracy"} <= set(metrics)
    assert settings["training.epochs"] == "1"
    assert losses > 1


_WITHOUT_THE_LIBRARY = """
import importlib.util, json, sys
from pathlib import Path

sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder).lower()]
sys.path = [path for path in sys.path if not Path(path, "florence2").is_dir()]
assert importlib.util.find_spec("florence2") is None

import mlflow
import pandas as pd

tracking_uri, model_uri, image = sys.argv[1:]
mlflow.set_tracking_uri(tracking_uri)
model = mlflow.pyfunc.load_model(model_uri)
answers = model.predict(pd.DataFrame({"image": [Path(image).read_bytes()], "prompt": ["<OD>"]}))
print("RESULT" + json.dumps([list(answers.columns), sys.modules["florence2"].__file__]))
"""


def test_the_registered_model_answers_where_the_library_is_not_installed(
    project: Project, first: Outcome, data: Path
) -> None:
    image = data / "test" / "0.png"
    done = project.execute(
        ["python", "-c", _WITHOUT_THE_LIBRARY, first.summary["tracking_uri"], first.summary["model_uri"], str(image)]
    )
    assert done.returncode == 0, done.stderr
    columns, file = json.loads(done.stdout.split("RESULT")[1])
    assert columns == ["answer", "score", "truncated", "boxes"]
    assert Path(file).parts[-3:] == ("code", "florence2", "__init__.py")


def test_plain_transformers_answers_like_the_registered_model(project: Project, first: Outcome, data: Path) -> None:
    code = f"""
import json, mlflow, pandas as pd
from PIL import Image
from transformers import AutoProcessor, Florence2ForConditionalGeneration
mlflow.set_tracking_uri({first.summary["tracking_uri"]!r})
image = {str(data / "test" / "0.png")!r}
questions = pd.DataFrame({{"image": [open(image, "rb").read()], "prompt": ["<OD>"]}})
registered = mlflow.pyfunc.load_model({first.summary["model_uri"]!r}).predict(questions)["answer"][0]
folder = mlflow.artifacts.download_artifacts({first.summary["model_uri"]!r}) + "/artifacts/model"
model = Florence2ForConditionalGeneration.from_pretrained(folder)
processor = AutoProcessor.from_pretrained(folder)
inputs = processor(images=Image.open(image).convert("RGB"), text="<OD>", return_tensors="pt")
text = processor.tokenizer.decode(model.generate(**inputs)[0])
for special in ("<s>", "</s>", "<pad>"):
    text = text.replace(special, "")
print("RESULT" + json.dumps([registered, text.strip()]))
"""
    done = project.execute(["python", "-c", code])
    assert done.returncode == 0, done.stderr
    registered, plain = json.loads(done.stdout.split("RESULT")[1])
    assert registered == plain
    assert registered


def test_the_zenml_model_version_names_the_mlflow_version(project: Project, first: Outcome) -> None:
    code = """
import json
from zenml.client import Client
versions = Client().list_model_versions(model="florence2-finetune", hydrate=True).items
print("RESULT" + json.dumps([version.run_metadata.get("mlflow") for version in versions]))
"""
    done = project.execute(["python", "-c", code])
    assert done.returncode == 0, done.stderr
    linked = [entry["uri"] for entry in json.loads(done.stdout.split("RESULT")[1]) if entry]
    assert first.summary["model_uri"] in linked


def test_a_seeded_split_is_made_where_there_is_none(project: Project, data: Path, tmp_path: Path) -> None:
    lines = (data / "train" / "annotations.jsonl").read_text()
    (tmp_path / "annotations.jsonl").write_text(lines)
    for image in (data / "train").glob("*.png"):
        (tmp_path / image.name).write_bytes(image.read_bytes())
    outcome = project.run("unsplit", parameters(tmp_path) | {"split": {"valid_fraction": 0.25, "test_fraction": 0.25}})
    assert outcome.status == 0, outcome.output


def test_nothing_in_the_artifact_store_is_pickled(project: Project, first: Outcome) -> None:
    assert first.status == 0
    kept = [file for file in (project.root / ".store").rglob("*") if file.is_file()]
    assert [file for file in kept if file.name == "adapter_model.safetensors"]
    assert not [file for file in kept if file.suffix in {".pkl", ".pickle", ".bin", ".pt", ".cloudpickle"}]
