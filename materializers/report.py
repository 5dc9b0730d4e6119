"""Stores an ``EvaluationReport``: JSON, and a page that the ZenML dashboard shows."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, ClassVar

from zenml.enums import VisualizationType

from florence2.evaluation import EvaluationReport
from florence2.storage import ReportFiles
from materializers.folder import FolderMaterializer

__all__ = ["EvaluationReportMaterializer"]


class EvaluationReportMaterializer(FolderMaterializer):
    """An evaluation report as report.json and report.html."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (EvaluationReport,)

    def write(self, data: EvaluationReport, folder: Path) -> None:
        """Write the report."""
        data.save(folder)

    def read(self, folder: Path) -> EvaluationReport:
        """Read the report."""
        return EvaluationReport.load(folder)

    def content_of(self, data: EvaluationReport) -> str:
        """Hash the scores and answers, not the seconds that they took."""
        content = data.to_dict()
        del content["html"]
        for model in ("before", "after"):
            del content[model]["seconds"]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def save_visualizations(self, data: EvaluationReport) -> dict[str, VisualizationType]:  # noqa: ARG002
        """Show the page in the dashboard."""
        return {f"{self.uri}/{ReportFiles.PAGE}": VisualizationType.HTML}

    def extract_metadata(self, data: EvaluationReport) -> dict[str, Any]:
        """Publish the scores before and after."""
        return {"before": data.before.metrics, "after": data.after.metrics}
