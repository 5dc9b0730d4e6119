"""ONNX graphs: they answer as the model does, plain onnxruntime runs them, and worse ones are not written."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from huggingface_hub import ModelCard
from PIL import Image
from typer.testing import CliRunner

from florence2.cli import app
from florence2.config import EvaluationConfig, ModelConfig
from florence2.errors import ModelError
from florence2.export import onnx_graphs
from florence2.export.exportable import load_exportable
from florence2.export.onnx_agreement import TOLERANCE, measure_agreement
from florence2.export.onnx_folder import export_onnx
from florence2.inference.generation import predict
from florence2.model.base import load_base
from florence2.model.processing import Sample
from tests.builders import write_stars


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("exported") / "nano"
    done = CliRunner().invoke(app, ["export", str(output), "--model", "builtin:nano", "--format", "onnx"])
    assert done.exit_code == 0, done.output
    assert "gives the same answers as the model; logits differ by at most" in done.output
    return output


def test_graphs_and_model_agree_on_images_prompts_and_batches(exported: Path) -> None:
    found = measure_agreement(load_base(ModelConfig(base="builtin:nano")), exported)
    assert found.difference < TOLERANCE
    assert found.same_tokens
    assert found.answers == 8


def test_another_model_does_not_agree(exported: Path) -> None:
    other: Any = load_base(ModelConfig(base="builtin:nano"))
    with torch.no_grad():
        other.model.lm_head.weight[5] += 0.01
    assert not measure_agreement(other, exported).good


def test_the_snippet_of_the_card_answers_without_torch_and_this_library(exported: Path, tmp_path: Path) -> None:
    files = sorted((write_stars(tmp_path / "set", each=1) / "test").glob("*.png"))[:3]
    Image.open(files[0]).convert("RGB").save(tmp_path / "image.jpg", quality=100)
    (tmp_path / "nano").symlink_to(exported)
    code = (exported / "README.md").read_text().split("```python\n")[1].split("```")[0]
    blocked = "import sys; sys.modules['florence2'] = sys.modules['torch'] = None\n"
    prompts = ["<OD>", "<VQA>what colour is the star?", "<OD>"]
    more = f"images = [Image.open(f).convert('RGB') for f in {[str(file) for file in files]}]\n"
    more += f"print(*answer(images, {prompts}), sep='\\n')\n"
    command = [sys.executable, "-P", "-c", blocked + code + more]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    requested = zip([tmp_path / "image.jpg", *files], ["<OD>", *prompts], strict=True)
    samples = [Sample(file, prompt, "", (64, 64)) for file, prompt in requested]
    config = EvaluationConfig(grammar="off", max_new_tokens=1022)
    answers = [answer.text for answer in predict(load_base(ModelConfig(base="builtin:nano")), samples, config)]
    assert done.stdout.splitlines() == answers
    assert all(answers)


def test_the_graphs_are_sound_and_hold_no_path_of_this_machine(exported: Path) -> None:
    for name in (onnx_graphs.VISION, onnx_graphs.ENCODER, onnx_graphs.DECODER):
        onnx.checker.check_model(str(exported / name))
        assert str(Path(onnx_graphs.__file__).parent.parent).encode() not in (exported / name).read_bytes()
    assert ModelCard.load(exported / "README.md").data.tags[:3] == ["florence-2", "florence2-finetune", "onnx"]


def test_graphs_that_do_not_agree_are_not_written(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_wrong(florence2: Any, folder: Path) -> None:
        for file in exported.glob("*.onnx*"):
            shutil.copy(file, folder)
        weights = folder / f"{onnx_graphs.DECODER}.data"
        weights.write_bytes((np.fromfile(weights, np.float32) * np.float32(1.01)).tobytes())

    monkeypatch.setattr(onnx_graphs, "write_graphs", write_wrong)
    with pytest.raises(ModelError, match=r"a logit differs by [0-9.]+, at most 0\.001 is allowed; nothing was written"):
        export_onnx(load_exportable("builtin:nano", "nano"), tmp_path / "new")
    assert list(tmp_path.iterdir()) == []
