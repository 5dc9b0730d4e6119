"""``make docs`` with programs that only print that they were called."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests import ROOT


@pytest.mark.parametrize(("notebook", "sphinx", "status"), [(0, 0, 0), (1, 0, 2), (0, 1, 2), (1, 1, 2)])
def test_the_site_is_made_where_the_notebook_fails_and_the_failure_is_reported(
    tmp_path: Path, notebook: int, sphinx: int, status: int
) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("pyproject.toml", "requirements.lock", "docs/tutorial.ipynb", ".venv/.ready"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, ends in (("python", notebook), ("sphinx-build", sphinx)):
        (programs / name).write_text(f"#!/bin/sh\necho called {name}\nexit {ends}\n")
        (programs / name).chmod(0o755)
    done = subprocess.run(
        ["make", "docs", f"BIN={programs}"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("called")] == [
        "called python",
        "called sphinx-build",
    ]
    assert ("docs/tutorial.ipynb: a cell failed" in done.stderr) is (notebook == 1)
