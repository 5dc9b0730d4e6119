"""An exported folder: plain transformers loads it in a process that does not know this library, and answers alike."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import ModelCard
from PIL import Image
from transformers import AutoProcessor, Florence2ForConditionalGeneration
from typer.testing import CliRunner

from florence2.cli import app
from florence2.config import Configuration, EvaluationConfig
from florence2.errors import ConfigurationError
from florence2.evaluation.bootstrap import Interval
from florence2.evaluation.examples import Example, ExampleAnswer
from florence2.evaluation.report import EvaluationReport, ModelEvaluation
from florence2.export.transformers_folder import export_transformers
from florence2.inference.generation import Predictor, predict
from florence2.model.base import base_fingerprint, load_base
from florence2.model.checkpoint import Checkpoint
from florence2.model.named import load_named
from florence2.model.processing import Sample
from florence2.model.quiet import quiet_transformers
from florence2.reports.model_facts import hub_facts, load_exportable
from florence2.sdk.run_folder.folders import save_settings
from tests.builders import write_stars

CONFIG = Configuration(dataset="builtin:cards", epochs=3, batch_size=4)
ROW = Example("a.png", 64, 64, "<OD>", "", "F1", (), ExampleAnswer(""))
REPORT = EvaluationReport(
    ModelEvaluation("base", {"map50": 0.1}),
    ModelEvaluation(
        "fine-tuned",
        {"map50": 0.82, "map75": 0.5},
        per_class={"t-shirt": {"ap50": 0.9}},
        counts={"images": 12},
        intervals={"map50": Interval(0.78, 0.86)},
    ),
    examples=(ROW, replace(ROW, prefix="<VQA>how many?")),
    facts={"data": "abc123"},
)


def adapter_of(folder: Path) -> Path:
    """Write an adapter that changes the answers."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(0)
    recipe = LoraConfig(target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    with quiet_transformers():
        adapted = get_peft_model(load_base(CONFIG.model).model, recipe)
    adapted.save_pretrained(str(folder))
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that trained adapters."""
    folder = tmp_path_factory.mktemp("runs") / "1"
    checkpoint = Checkpoint(
        folder / "checkpoints" / "best", "lora", "builtin:nano", None, base_fingerprint(CONFIG.model), 2.0
    )
    adapter_of(checkpoint.folder / "adapter")
    checkpoint.write_card()
    REPORT.save(folder / "report")
    save_settings(CONFIG, folder)
    return folder


@pytest.fixture(scope="module")
def exported(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_transformers(load_exportable(str(run), "stars"), tmp_path_factory.mktemp("exported") / "stars")


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    folder = write_stars(tmp_path_factory.mktemp("set"), each=2) / "test"
    images = sorted(folder.glob("*.png"))
    return [Sample(file, "<OD>", "", (64, 64)) for file in images]


def test_plain_transformers_writes_the_same_tokens(run: Path, exported: Path, samples: list[Sample]) -> None:
    config = EvaluationConfig(max_new_tokens=60, grammar="off", eval_batch_size=3)
    ours = [written.tokens for written in Predictor(load_named(str(run)), config).generate(samples)]
    base = [written.tokens for written in Predictor(load_base(CONFIG.model), config).generate(samples)]
    assert ours != base
    model: Any = Florence2ForConditionalGeneration.from_pretrained(exported)
    processor = AutoProcessor.from_pretrained(exported)
    for sample, tokens in zip(samples, ours, strict=True):
        inputs = processor(text="<OD>", images=Image.open(sample.image).convert("RGB"), return_tensors="pt")
        assert model.generate(**inputs, max_new_tokens=60)[0, 1:].tolist() == tokens


def test_the_snippet_of_the_card_runs_by_itself_and_says_no_more(
    run: Path, exported: Path, samples: list[Sample], tmp_path: Path
) -> None:
    Image.open(samples[0].image).convert("RGB").save(tmp_path / "image.jpg", quality=100)
    (tmp_path / "stars").symlink_to(exported)
    code = (exported / "README.md").read_text().split("```python\n")[1].split("```")[0]
    blocked = "import sys; sys.modules['florence2'] = None\n"
    done = subprocess.run(
        [sys.executable, "-P", "-c", blocked + code],
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"HF_HUB_DISABLE_PROGRESS_BARS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    image = Sample(tmp_path / "image.jpg", "<OD>", "", (64, 64))
    (answer,) = predict(load_named(str(run)), [image], EvaluationConfig(grammar="off", duplicate_iou=1.0))
    text, *boxes = [line for line in done.stdout.splitlines() if line]
    assert text == answer.text
    assert answer.detections is not None
    assert boxes == [
        f"{name}: {' '.join(f'{value:.1f}' for value in corners)}" for name, _, corners in answer.detections.rows()
    ]


def test_the_card_says_what_it_is_to_people_and_to_a_hub(exported: Path) -> None:
    card = ModelCard.load(exported / "README.md")
    data = card.data
    assert (data.license, data.library_name, data.pipeline_tag) == ("apache-2.0", "transformers", "image-text-to-text")
    assert data.metrics == ["map50"]
    assert data.tags == ["florence-2", "florence2-finetune", "object-detection", "visual-question-answering"]
    (result,) = data.eval_results
    assert (result.dataset_name, result.metric_value) == ("builtin:cards", 0.82)
    for line in (
        "# stars",
        "| mAP50 | 0.100 | 0.820 | 0.780 to 0.860 (95%) |",
        "3 epochs of batches of 4",
        "Classes in the test split: t-shirt.",
        "builtin:cards; fingerprint of all splits `abc123`",
        "fewer than 30 images",
    ):
        assert line in card.text
    assert str(exported.parent) not in card.content


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_weights_can_be_written_in_half(tmp_path: Path, dtype: str) -> None:
    output = tmp_path / "half"
    command = ["export", str(output), "--model", "builtin:nano", "--dtype", dtype, "--license", "mit"]
    done = CliRunner().invoke(app, command)
    assert "loads with plain transformers" in done.output
    model = Florence2ForConditionalGeneration.from_pretrained(output)
    assert model.dtype == getattr(torch, dtype)
    assert ModelCard.load(output / "README.md").data.license == "mit"
    modes = {file.stat().st_mode & 0o777 for file in output.iterdir()}
    assert len(modes) == 1


def test_the_licence_is_that_of_the_base(exported: Path) -> None:
    assert hub_facts("florence-community/Florence-2-base").license == "mit"
    assert hub_facts("florence-community/Florence-2-base").base_model == "florence-community/Florence-2-base"
    assert hub_facts("somebody/Florence").license == "unknown"
    assert hub_facts("builtin:nano").base_model is None
    assert hub_facts(str(exported)).license == "apache-2.0"
    assert hub_facts(str(exported.parent)).license == "unknown"


def test_a_checkpoint_without_its_run_says_that_nothing_was_tested(run: Path, tmp_path: Path) -> None:
    (tmp_path / "alone").symlink_to(run / "checkpoints" / "best")
    card = load_exportable(str(tmp_path / "alone"), "alone").card
    assert "measured on no test split" in card


def test_a_name_that_is_taken_is_refused(exported: Path) -> None:
    result = CliRunner().invoke(app, ["export", str(exported), "--model", "builtin:nano"])
    assert isinstance(result.exception, ConfigurationError)
    assert "is not an empty folder; give a new one, nothing is overwritten" in str(result.exception)


def test_a_disk_without_room_is_told_in_a_sentence(tmp_path: Path) -> None:
    """A limit on the size of files stands for a full disk."""
    command = [sys.executable, "-m", "florence2.cli", "export", str(tmp_path / "new"), "--model", "builtin:nano"]
    limit = (1 << 20, 1 << 20)
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {tmp_path}/new: cannot be written (")
    assert "File too large" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
