"""The MLflow store as ``florence2 doctor`` finds it: none, empty, readable, broken, or a server that is silent."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from florence2.adapters.mlflow.local_store import TRACKING_URI_FILE, default_tracking_uri
from florence2.adapters.mlflow.store_state import registered_models
from florence2.doctor.store import check_store
from florence2.errors import RegistryError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_HTTP_REQUEST_TIMEOUT", "MLFLOW_HTTP_REQUEST_MAX_RETRIES"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return tmp_path


def test_without_a_store_training_still_works(folder: Path) -> None:
    (found,) = check_store()
    assert found.level == "warning"
    assert "florence2 train works without" in found.message


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe"])
def test_a_damaged_note_of_the_store_is_no_missing_one(folder: Path, content: bytes) -> None:
    (folder / TRACKING_URI_FILE).parent.mkdir()
    (folder / TRACKING_URI_FILE).write_bytes(content)
    (found,) = check_store()
    assert (found.level, found.fix) == ("problem", "python -m pipelines.local_stack")
    assert found.message.startswith(f"{folder / TRACKING_URI_FILE}: is damaged, it names no MLflow store; run `make st")
    with pytest.raises(RegistryError, match="is damaged, it names no MLflow store"):
        default_tracking_uri()


def test_a_store_that_was_never_written_to_is_left_unmade(folder: Path) -> None:
    (folder / TRACKING_URI_FILE).parent.mkdir()
    (folder / TRACKING_URI_FILE).write_text(f"sqlite:///{folder}/mlflow.db\n")
    (found,) = check_store()
    assert found.level == "ok"
    assert "nothing is stored there yet" in found.message
    assert not (folder / "mlflow.db").exists()


def test_the_registered_models_of_a_store_are_counted(folder: Path) -> None:
    import mlflow

    uri = f"sqlite:///{folder}/mlflow.db"
    mlflow.MlflowClient(uri, uri).create_registered_model("sharks")
    (folder / TRACKING_URI_FILE).parent.mkdir()
    (folder / TRACKING_URI_FILE).write_text(uri)
    assert check_store()[0].message.endswith("can be read, 1 registered model: sharks")


def test_a_damaged_store_and_one_that_is_gone_say_what_to_do(folder: Path) -> None:
    (folder / "mlflow.db").write_bytes(b"no database" * 1000)
    with pytest.raises(RegistryError, match=r"the store cannot be read .* restore it from a backup"):
        registered_models(f"sqlite:///{folder}/mlflow.db")
    with pytest.raises(RegistryError, match=r"its folder is gone; run `make stack`"):
        registered_models(f"sqlite:///{folder}/gone/mlflow.db")


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts a connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_server_that_does_not_answer_is_a_problem_and_no_wait(
    folder: Path, monkeypatch: pytest.MonkeyPatch, silent_port: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://user:secret@127.0.0.1:{port}")
    (found,) = check_store()
    assert found.level == "problem"
    assert f"nothing answers at 127.0.0.1:{port}" in found.message
    assert "secret" not in found.message
    start = time.monotonic()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{silent_port}")
    (found,) = check_store()
    assert found.level == "problem"
    assert time.monotonic() - start < 30
