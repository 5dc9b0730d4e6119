"""What a type checker reports to a user who has installed the package and wrote a script."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]


def test_a_strict_type_checker_passes_a_users_script_and_finds_each_mistake(tmp_path: Path) -> None:
    """Without the project's settings and plugins; an ignored line that holds no mistake would be an error."""
    shutil.copyfile(ROOT / "tests" / "user_script.py", tmp_path / "script.py")
    cache = ROOT / ".mypy_cache" / "users"
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", f"--cache-dir={cache}", "script.py"],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.stdout == "Success: no issues found in 1 source file\n"
    assert checked.returncode == 0
