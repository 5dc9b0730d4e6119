"""The command that imports."""

from __future__ import annotations

from pathlib import Path

from transformers import AutoProcessor, Florence2ForConditionalGeneration
from typer.testing import CliRunner

from florence2.cli import app
from tests.published import write_published_model


def test_plain_transformers_loads_what_is_written(tmp_path: Path) -> None:
    source, output = write_published_model(tmp_path / "published"), tmp_path / "native"
    done = CliRunner().invoke(app, ["import", str(source), str(output)])
    assert done.exit_code == 0
    assert done.output == f"{output}: native, loads with plain transformers; use it by --model {output}\n"
    assert Florence2ForConditionalGeneration.from_pretrained(output).config.image_token_id == 1285
    assert AutoProcessor.from_pretrained(output).image_token_id == 1285
