"""Models with known faults, evaluated on one test split."""

from __future__ import annotations

import pytest

from florence2.config import EvaluationConfig
from florence2.datasets.formats import read_dataset
from florence2.datasets.manifest import DatasetManifest
from florence2.evaluation.baselines.baseline import evaluate_baseline
from florence2.evaluation.evaluated import Evaluated, describe, evaluate_weights
from tests.builders import write_mistaken, write_stars

CONFIG = EvaluationConfig(max_new_tokens=16, resamples=300)
MISTAKES: dict[str, dict[str, str]] = {
    "good": {},
    "three wrong": {"red": "green", "green": "blue", "blue": "red"},
    "yellow wrong": {"yellow": "purple", "purple": "yellow"},
    "all wrong": {"red": "green", "green": "blue", "blue": "yellow", "yellow": "red"},
}
"""Models by the colours that they take for another."""


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> DatasetManifest:
    return read_dataset(write_stars(tmp_path_factory.mktemp("stars")))


@pytest.fixture(scope="session")
def test_data(data: DatasetManifest) -> DatasetManifest:
    return data.select("test")


@pytest.fixture(scope="session")
def baseline(data: DatasetManifest) -> Evaluated:
    return Evaluated(*describe(evaluate_baseline(data.select("train"), data.select("test"), CONFIG), CONFIG))


@pytest.fixture(scope="session")
def evaluated(test_data: DatasetManifest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Evaluated]:
    models = tmp_path_factory.mktemp("models")
    return {
        name: evaluate_weights(write_mistaken(models / name, mistakes), name, test_data, CONFIG)
        for name, mistakes in MISTAKES.items()
    }
