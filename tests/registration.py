"""What a version is registered with in tests: settings, report and data."""

from __future__ import annotations

from florence2.config import Configuration
from florence2.datasets.manifest import DatasetManifest
from florence2.evaluation.bootstrap import Interval
from florence2.evaluation.report import EvaluationReport, ModelEvaluation
from tests.builders import manifest

__all__ = ["CONFIG", "REPORT", "held_out", "training"]

CONFIG = Configuration(base="builtin:nano", strategy="full", epochs=3)
REPORT = EvaluationReport(
    ModelEvaluation("base", {"map50": 0.1}),
    ModelEvaluation(
        "fine-tuned",
        {"map50": 0.82, "vqa_accuracy": 0.7},
        per_class={"dog": {"ap50": 0.9}, "cat <b>": {"ap50": 0.4}},
        intervals={"map50": Interval(0.78, 0.86)},
    ),
)


def training() -> DatasetManifest:
    """Return the splits train and valid."""
    return manifest({}, {"split": "valid", "prefix": "<VQA>how many?", "task": "<VQA>", "suffix": "2"})


def held_out() -> DatasetManifest:
    """Return the split test."""
    return manifest({"split": "test", "sha256": "f" * 64})
