"""Stores a promotion ``Decision``: JSON, and a page that the ZenML dashboard shows."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, ClassVar

from zenml.enums import VisualizationType

from florence2.promotion import Decision
from florence2.reports import render_decision
from materializers.folder import FolderMaterializer

__all__ = ["DecisionMaterializer"]


class DecisionMaterializer(FolderMaterializer):
    """A decision as decision.json and decision.html."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Decision,)

    def write(self, data: Decision, folder: Path) -> None:
        """Write decision and page."""
        (folder / "decision.json").write_text(data.model_dump_json(indent=2) + "\n", encoding="utf-8")
        (folder / "decision.html").write_text(render_decision(data), encoding="utf-8")

    def read(self, folder: Path) -> Decision:
        """Read the decision."""
        return Decision.model_validate_json((folder / "decision.json").read_bytes())

    def content_of(self, data: Decision) -> str:
        """Hash all of it."""
        return hashlib.sha256(data.model_dump_json().encode()).hexdigest()

    def save_visualizations(self, data: Decision) -> dict[str, VisualizationType]:  # noqa: ARG002
        """Show the page in the dashboard."""
        return {f"{self.uri}/decision.html": VisualizationType.HTML}

    def extract_metadata(self, data: Decision) -> dict[str, Any]:
        """Publish the verdict and its reason."""
        return {"verdict": data.verdict, "why": data.why}
