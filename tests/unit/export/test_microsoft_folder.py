"""A model that was exported in Microsoft's layout and imported again answers as it did."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard
from typer.testing import CliRunner

from florence2.cli import app
from florence2.errors import ModelError
from florence2.export.exportable import load_exportable
from florence2.export.microsoft_folder import export_microsoft
from florence2.model.named import load_named


def test_a_run_returns_from_microsofts_layout_without_a_changed_bit(trained_run: Path, tmp_path: Path) -> None:
    output = tmp_path / "stars"
    done = CliRunner().invoke(app, ["export", str(output), "--model", str(trained_run), "--format", "microsoft"])
    assert re.fullmatch(
        rf"{output}: Microsoft's three code files are not in it; .*from microsoft/Florence-2-base-ft\n"
        rf"{output}: [\d.]+ MB, loads with Microsoft's code; its README\.md says how\n",
        done.output,
    )
    before, after = load_named(str(trained_run)).model.state_dict(), load_named(str(output)).model.state_dict()
    assert before.keys() == after.keys()
    assert all(before[name].equal(after[name]) for name in before)
    card = ModelCard.load(output / "README.md")
    assert card.data.library_name == "transformers"
    assert "`configuration_florence2.py`, `modeling_florence2.py` and `processing_florence2.py`" in card.text
    assert not list(output.glob("*.py"))


def test_nothing_is_written_of_a_model_that_microsofts_code_does_not_know(tmp_path: Path) -> None:
    source = load_exportable("builtin:nano", "a")
    config: Any = source.florence2.model.config
    config.vision_config.qkv_bias = False
    with pytest.raises(ModelError, match=r"qkv_bias is False, and Microsoft's code has True alone"):
        export_microsoft(source, tmp_path / "new")
    assert not list(tmp_path.iterdir())
