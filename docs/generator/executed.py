"""Execute a notebook: ``python -m docs.generator.executed NOTEBOOK COPY`` keeps a copy with its outputs."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

__all__ = ["execute"]

_SECONDS = 900


def execute(notebook: Path) -> nbformat.NotebookNode:
    """Run the cells of a notebook from top to bottom in an empty folder, and return it with their outputs.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed.
    """
    content: nbformat.NotebookNode = nbformat.read(notebook, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            content, timeout=_SECONDS, kernel_name="python3", resources={"metadata": {"path": folder}}
        )
        client.execute()
    return content


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    executed = execute(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(executed, target)
