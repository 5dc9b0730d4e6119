"""The YAML files that come with the project are valid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from florence2.config import Configuration, PredictionConfiguration, PromotionConfiguration, TuningConfiguration
from florence2.evaluation.metrics.registry import metric_named
from tests import ROOT

FILES = sorted((ROOT / "configs").glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_key_is_known_and_every_value_valid(file: Path) -> None:
    trees = {"predict": PredictionConfiguration, "promote": PromotionConfiguration, "tune": TuningConfiguration}
    config: Any = trees.get(file.stem, Configuration)(**yaml.safe_load(file.read_text())["parameters"])
    assert all(metric_named(name).name == name for name in config.evaluation.metrics)


def test_there_are_some() -> None:
    expected = {"quickstart", "detection_lora", "detection_full", "vqa", "predict", "promote", "tune"}
    assert expected <= {file.stem for file in FILES}
