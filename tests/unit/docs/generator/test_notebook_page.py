from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from docs.generator.notebook_page import markdown_of


def code(*outputs: dict[str, Any]) -> dict[str, Any]:
    return {"cell_type": "code", "source": ["print(1)\n", "plot()"], "outputs": list(outputs)}


def test_cells_become_text_code_and_output(tmp_path: Path) -> None:
    printed = {"output_type": "stream", "name": "stdout", "text": ["1\n"]}
    progress = {"output_type": "stream", "name": "stderr", "text": ["10 %"]}
    value = {"output_type": "execute_result", "data": {"text/plain": ["2"]}}
    cells = [{"cell_type": "markdown", "source": ["# Title"]}, code(printed, progress, value)]
    assert markdown_of({"cells": cells}, tmp_path / "tutorial") == (
        "# Title\n\n```python\nprint(1)\nplot()\n```\n\n```text\n1\n```\n\n```text\n2\n```\n"
    )


def test_an_image_becomes_a_file_of_its_own(tmp_path: Path) -> None:
    drawn = {"output_type": "display_data", "data": {"image/png": base64.b64encode(b"png").decode()}}
    page = markdown_of({"cells": [code(drawn, drawn)]}, tmp_path / "tutorial")
    assert [file.name for file in sorted((tmp_path / "tutorial").iterdir())] == ["0-0.png", "0-1.png"]
    assert (tmp_path / "tutorial" / "0-1.png").read_bytes() == b"png"
    assert "(/_build/executed/tutorial/0-1.png)" in page
