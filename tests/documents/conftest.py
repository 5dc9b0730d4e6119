"""One terminal and one workplace for all pages."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.documents.blocks import ROOT
from tests.documents.terminal import Terminal
from tests.documents.workplace import Workplace


@pytest.fixture(scope="session")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    environment = {
        "PYTHONPATH": str(ROOT),
        "HF_HUB_OFFLINE": "1",
        "MLFLOW_TRACKING_URI": "sqlite:///mlflow.db",
        "ZENML_CONFIG_PATH": str(tmp_path_factory.mktemp("zenml")),
        "COLUMNS": "120",
    }
    os.environ.update({name: environment[name] for name in ("PYTHONPATH", "HF_HUB_OFFLINE", "ZENML_CONFIG_PATH")})
    return Terminal(environment)


@pytest.fixture(scope="session")
def workplace(tmp_path_factory: pytest.TempPathFactory, terminal: Terminal) -> Workplace:
    return Workplace(tmp_path_factory.mktemp("workplace") / "all", terminal)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where each page has its folder."""
    return tmp_path_factory.mktemp("pages")
