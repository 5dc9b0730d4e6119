"""A model in Microsoft's layout goes the whole way: trained, killed, resumed, exported in both layouts, served."""

from __future__ import annotations

import base64
import io
import signal
import subprocess
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from florence2.cli import app
from florence2.config import ModelConfig
from florence2.model.base import base_fingerprint
from florence2.model.checkpoint import Checkpoint
from florence2.model.named import load_named
from tests.integration.test_command_line_runs import COMMAND, ENVIRONMENT
from tests.integration.test_serving_processes import server
from tests.waiting import wait_for

pytestmark = pytest.mark.integration


def invoke(*words: str) -> None:
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output


def test_a_model_in_microsofts_layout_is_trained_killed_resumed_exported_and_served(tmp_path: Path) -> None:
    base = tmp_path / "base"
    invoke("export", str(base), "--model", "builtin:nano", "--format", "microsoft")
    words = ["train", "--model", str(base), "--dataset", "builtin:cards", "--epochs", "1", "--batch-size", "32"]
    words += ["--output", str(tmp_path / "runs"), "--save-minutes", "0", "--preview", "0", "--resamples", "20"]
    words += ["--max-new-tokens", "16"]
    process = subprocess.Popen([*COMMAND, *words], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    folder = tmp_path / "runs" / "1"
    wait_for(
        lambda: list(folder.glob("state/*/complete.json")),
        lambda: process.communicate()[0].decode() if process.poll() is not None else None,
    )
    process.send_signal(signal.SIGKILL)
    process.wait()

    invoke(*words, "--resume", str(folder))
    checkpoint = Checkpoint.read(folder / "checkpoints" / "best")
    assert checkpoint.base == str(base)
    assert checkpoint.base_fingerprint == base_fingerprint(ModelConfig(base=str(base)))

    native, published = tmp_path / "native", tmp_path / "published"
    invoke("export", str(native), "--model", str(folder))
    invoke("export", str(published), "--model", str(folder), "--format", "microsoft")
    ours, theirs = (load_named(str(name)).model.state_dict() for name in (native, published))
    assert all(ours[key].equal(theirs[key]) for key in ours)

    stream = io.BytesIO()
    Image.new("RGB", (64, 64), (200, 30, 30)).save(stream, "PNG")
    question = {"image": base64.b64encode(stream.getvalue()).decode(), "prefix": "<VQA>what is the colour?"}
    command = ["florence2.cli", "serve", "--model", str(published), "--port", "0", "--max-new-tokens", "8"]
    with server(command, tmp_path, r"answers at http://(\S+)") as served:
        status, answer = served.request("/predict", question)
    assert status == 200, answer
    assert answer["answers"][0]["text"]
