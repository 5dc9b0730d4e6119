"""The examples as if they were installed, one at a time: that of the folder of the test."""

from __future__ import annotations

import tomllib

import pytest

from tests import ROOT
from tests.plugins import write_package


@pytest.fixture(autouse=True)
def installed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Install the example that a test is about, with the entry points of its pyproject.toml."""
    folder = ROOT / "docs" / "examples" / request.path.parent.name
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    modules = {name: (folder / f"{name}.py").read_text() for name in project["tool"]["setuptools"]["py-modules"]}
    site = tmp_path_factory.mktemp("site")
    write_package(site, project["project"]["name"], modules, project["project"]["entry-points"])
    monkeypatch.syspath_prepend(site)
