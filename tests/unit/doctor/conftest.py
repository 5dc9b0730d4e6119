"""Checks that succeed, crash and hang."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

CHECKS = """
import os, sys, time
from florence2.doctor import Finding

def fine():
    print("chatter of a library")
    os.write(1, b"and of one in C")
    return [Finding("ok", "all is well"), Finding("warning", "slow", "be quick")]

def raises():
    raise OSError("disk is gone")

def dies():
    os._exit(11)

def hangs():
    time.sleep(60)

def nonsense():
    return ["text"]
"""


@pytest.fixture
def checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "made_checks.py").write_text(textwrap.dedent(CHECKS))
    monkeypatch.syspath_prepend(tmp_path)
    return "made_checks"
