from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from docs.generator.executed import execute


def written(file: Path, *cells: str) -> Path:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbformat.write(notebook, file)
    return file


def test_cells_run_in_order_in_an_empty_folder(tmp_path: Path) -> None:
    file = written(tmp_path / "a.ipynb", "import os\nx = len(os.listdir())", "print(x)")
    (output,) = execute(file).cells[1].outputs
    assert output.text == "0\n"


def test_a_cell_that_fails_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        execute(written(tmp_path / "a.ipynb", "1 / 0"))
