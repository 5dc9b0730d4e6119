"""Register runs/1 three times; the first becomes champion, then the second: ``three_versions.py STORE``."""

from __future__ import annotations

import sys
from pathlib import Path

import mlflow

from florence2.adapters.mlflow.registration import register
from florence2.adapters.mlflow.registry import Registry
from florence2.config import Configuration
from florence2.datasets.ingestion import ingest
from florence2.datasets.splits.assignment import split_dataset
from florence2.evaluation.report import EvaluationReport
from florence2.model.named import checkpoint_named

__all__: list[str] = []

store = sys.argv[1]
config = Configuration(dataset="my-set", epochs=2)
rows = split_dataset(ingest(config.dataset), config.split)
checkpoint = checkpoint_named("runs/1")
assert checkpoint is not None
report = EvaluationReport.load(next(Path("runs/1").rglob("report.json")).parent)
mlflow.set_tracking_uri(store)
for number in (1, 2, 3):
    with mlflow.start_run():
        register(checkpoint, report, rows.select("train", "valid"), rows.select("test"), config)
    if number < 3:
        champion = None if number == 1 else "1"
        registry = Registry(store, config.registration.model_name)
        registry.move_champion(str(number), expected_champion=champion, reason="better", decision={})
