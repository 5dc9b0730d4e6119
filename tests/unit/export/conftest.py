"""A run that trained adapters, and the folder that it was exported into."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from florence2.config import Configuration
from florence2.evaluation.bootstrap import Interval
from florence2.evaluation.examples import Example, ExampleAnswer
from florence2.evaluation.report import EvaluationReport, ModelEvaluation
from florence2.export.exportable import load_exportable
from florence2.export.transformers_folder import export_transformers
from florence2.model.base import base_fingerprint, load_base
from florence2.model.checkpoint import Checkpoint
from florence2.model.quiet import quiet_transformers
from florence2.sdk.run_folder.folders import save_settings

CONFIG = Configuration(dataset="builtin:cards", base="builtin:nano", epochs=3, batch_size=4)
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


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
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


@pytest.fixture(scope="session")
def exported(trained_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_transformers(
        load_exportable(str(trained_run), "stars"), tmp_path_factory.mktemp("exported") / "stars"
    )
