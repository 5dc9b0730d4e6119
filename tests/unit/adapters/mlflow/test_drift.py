from __future__ import annotations

import json

import pytest

from florence2.adapters.mlflow.drift import drift_between
from florence2.adapters.mlflow.registry import Registry
from florence2.datasets.statistics.compute import compute_statistics
from florence2.errors import RegistryError
from tests.builders import manifest


def test_training_data_is_compared_by_the_statistics_that_lie_with_the_versions(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"suffix": f"{'cat' if line % 2 else 'dog'}<loc_1><loc_2><loc_30><loc_40>"} for line in range(60)]
    others = [{"suffix": "horse<loc_500><loc_500><loc_900><loc_900>"} for _ in range(60)]
    texts = {
        version: json.dumps(compute_statistics(manifest(*part)).to_dict())
        for version, part in (("1", rows), ("2", others))
    }
    monkeypatch.setattr(Registry, "text_of", lambda self, version, name: texts[version])
    assert drift_between(registry, "1", "1").startswith("Training data against that of version 1: Stable")
    assert "Drifted in" in drift_between(registry, "1", "2")
    assert "1 added, 2 removed" in drift_between(registry, "1", "2")


def test_statistics_that_do_not_exist_any_more_are_reported(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: str) -> str:
        raise RegistryError("the file is gone")

    monkeypatch.setattr(Registry, "text_of", gone)
    assert drift_between(registry, "1", "2").endswith("cannot be compared with that of version 1: the file is gone")
