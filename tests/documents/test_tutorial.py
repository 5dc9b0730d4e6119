"""The notebook runs from top to bottom, and its fine-tuned model is better than the base."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import pytest

from docs.generator.executed import execute
from docs.generator.notebook_page import markdown_of
from tests.documents.blocks import ROOT

NOTEBOOK = ROOT / "docs" / "tutorial.ipynb"


@pytest.fixture(scope="module")
def executed() -> nbformat.NotebookNode:
    return execute(NOTEBOOK)


@pytest.fixture(scope="module")
def printed(executed: nbformat.NotebookNode) -> str:
    outputs = [output for cell in executed.cells for output in cell.get("outputs", ())]
    return "".join(output["text"] for output in outputs if output.get("name") == "stdout")


def test_it_is_kept_without_outputs() -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(code) > 5
    assert [cell for cell in code if cell["outputs"] or cell["execution_count"]] == []


def test_the_fine_tuned_model_is_much_better(printed: str) -> None:
    scores = re.search(r"mAP50: base ([\d.]+), fine-tuned ([\d.]+)", printed)
    assert scores is not None
    before, after = map(float, scores.groups())
    assert after > before + 0.2


def test_the_registered_model_answers_with_a_card(printed: str) -> None:
    assert re.search(r"florence2-finetune version 1 is challenger", printed)
    assert re.search(r"registered model: (ace|jack|queen|king) of \w+(<loc_\d+>){4}", printed)


def test_its_page_shows_the_images(executed: nbformat.NotebookNode, tmp_path: Path) -> None:
    page = markdown_of(json.loads(nbformat.writes(executed)), tmp_path / "tutorial")
    drawn = sorted((tmp_path / "tutorial").iterdir())
    assert [file.suffix for file in drawn] == [".png"]
    assert f"tutorial/{drawn[0].name})" in page
    assert "```text\nmAP50: base" in page
