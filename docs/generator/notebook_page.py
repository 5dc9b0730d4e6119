"""A notebook as a page of the site: text as it is, code with its output and images below it.

The outputs are those of ``docs/_build/executed``, where ``make docs`` writes an executed copy; without one, or with one
of an older notebook, the page shows the code alone.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from docutils import nodes
from myst_parser.parsers.sphinx_ import MystParser

__all__ = ["NotebookParser", "markdown_of", "register_notebooks"]

EXECUTED = Path("_build") / "executed"


class NotebookParser(MystParser):
    """Reads an .ipynb file as the Markdown page that it becomes."""

    supported = ("ipynb",)

    def parse(self, inputstring: str, document: nodes.document) -> None:
        """Parse the text of a notebook into a document."""
        source = Path(document["source"])
        notebook = json.loads(inputstring)
        executed = source.parent / EXECUTED / source.name
        document.settings.env.note_dependency(str(executed))
        if executed.is_file():
            ran = json.loads(executed.read_text(encoding="utf-8"))
            notebook = ran if _sources(ran) == _sources(notebook) else notebook
        super().parse(markdown_of(notebook, source.parent / EXECUTED / source.stem), document)


def register_notebooks(app: Any) -> None:
    """Let a Sphinx application read .ipynb files."""
    app.add_source_suffix(".ipynb", "ipynb")
    app.add_source_parser(NotebookParser)


def markdown_of(notebook: dict[str, Any], images: Path) -> str:
    """Return a notebook as Markdown.

    Args:
        notebook: its JSON.
        images: folder for the images that its cells drew; ``docs/_build/executed/NAME``.
    """
    parts = []
    for number, cell in enumerate(notebook["cells"]):
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(text)
        elif cell["cell_type"] == "code":
            parts.append(f"```python\n{text}\n```")
            for index, output in enumerate(cell["outputs"]):
                parts.append(_output(output, images / f"{number}-{index}.png"))
    return "\n\n".join(part for part in parts if part) + "\n"


def _output(output: dict[str, Any], image: Path) -> str:
    data = output.get("data", {})
    if "image/png" in data:
        image.parent.mkdir(parents=True, exist_ok=True)
        image.write_bytes(base64.b64decode(data["image/png"]))
        return f"![what the cell drew](/{EXECUTED / image.parent.name / image.name})"
    text = output["text"] if output["output_type"] == "stream" else data.get("text/plain", "")
    if output.get("name") == "stderr" or not text:
        return ""  # progress and warnings
    return f"```text\n{''.join(text).rstrip()}\n```"


def _sources(notebook: dict[str, Any]) -> list[str]:
    return ["".join(cell["source"]) for cell in notebook["cells"]]
