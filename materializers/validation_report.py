"""Stores a ``ValidationReport``: JSON, the samples left out, and Great Expectations' page for the ZenML dashboard."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, ClassVar

from zenml.enums import VisualizationType

from florence2.datasets import ValidationReport
from materializers.folder import FolderMaterializer

__all__ = ["ValidationReportMaterializer"]


class ValidationReportMaterializer(FolderMaterializer):
    """A validation report as JSON, ``quarantine.jsonl`` with the samples left out, and Great Expectations' page."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (ValidationReport,)

    def write(self, data: ValidationReport, folder: Path) -> None:
        """Write the findings, the samples left out and the page."""
        content = data.to_dict()
        lines = [json.dumps(row) + "\n" for row in content.pop("quarantine")]
        (folder / "quarantine.jsonl").write_text("".join(lines), encoding="utf-8")
        (folder / "data_docs.html").write_text(content.pop("docs_html"), encoding="utf-8")
        (folder / "validation.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

    def read(self, folder: Path) -> ValidationReport:
        """Read the report."""
        content = json.loads((folder / "validation.json").read_text(encoding="utf-8"))
        page = (folder / "data_docs.html").read_text(encoding="utf-8")
        with (folder / "quarantine.jsonl").open(encoding="utf-8") as lines:
            quarantine = [json.loads(line) for line in lines]
        return ValidationReport.from_dict(content | {"quarantine": quarantine, "docs_html": page})

    def content_of(self, data: ValidationReport) -> str:
        """Hash the findings, not the page, which holds its date."""
        content = data.to_dict()
        del content["docs_html"]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def save_visualizations(self, data: ValidationReport) -> dict[str, VisualizationType]:  # noqa: ARG002
        """Show the Data Docs in the dashboard."""
        return {f"{self.uri}/data_docs.html": VisualizationType.HTML}
