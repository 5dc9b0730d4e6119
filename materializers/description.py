"""Stores a ``Description``: JSON, and a page that the ZenML dashboard shows."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, ClassVar

from zenml.enums import VisualizationType

from florence2.datasets import DatasetStatistics
from florence2.reports import Description
from materializers.folder import FolderMaterializer

__all__ = ["DescriptionMaterializer"]


class DescriptionMaterializer(FolderMaterializer):
    """A data set's statistics as statistics.json, drift.json and statistics.html."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Description,)

    def write(self, data: Description, folder: Path) -> None:
        """Write statistics, drift and page."""
        for name, content in (("statistics", data.statistics.to_dict()), ("drift", data.drift)):
            (folder / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        (folder / "statistics.html").write_text(data.html, encoding="utf-8")

    def read(self, folder: Path) -> Description:
        """Read statistics, drift and page."""
        statistics, drift = (
            json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in ("statistics", "drift")
        )
        page = (folder / "statistics.html").read_text(encoding="utf-8")
        return Description(DatasetStatistics.from_dict(statistics), drift, page)

    def content_of(self, data: Description) -> str:
        """Hash statistics and drift; the page shows the same, and samples."""
        content = [data.statistics.to_dict(), data.drift]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def save_visualizations(self, data: Description) -> dict[str, VisualizationType]:  # noqa: ARG002
        """Show the page in the dashboard."""
        return {f"{self.uri}/statistics.html": VisualizationType.HTML}
