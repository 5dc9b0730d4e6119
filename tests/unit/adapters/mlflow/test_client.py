"""The client of a store, and errors of MLflow as errors of this library."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException

from florence2.adapters.mlflow.client import open_client, translate_errors
from florence2.errors import RegistryError


def test_a_database_that_does_not_exist_is_an_error_and_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="no such file, so no model is registered there yet"):
        open_client(f"sqlite:///{tmp_path}/none.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [MlflowException("it is full\nand more"), OSError("it is full")])
def test_errors_are_translated_without_passwords_and_in_one_line(error: Exception) -> None:
    with pytest.raises(RegistryError) as found, translate_errors("http://me:secret@host: no model"):
        raise error
    assert str(found.value) == "http://***@host: no model: it is full"
    assert found.value.__cause__ is error
