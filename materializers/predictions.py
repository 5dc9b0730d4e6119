"""Stores ``ImagePredictions``: JSON, COCO results and drawn images, some of which the ZenML dashboard shows."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, ClassVar

from zenml.enums import VisualizationType
from zenml.io import fileio

from florence2.inference import ImagePredictions
from materializers.folder import FolderMaterializer

__all__ = ["PredictionsMaterializer"]

_SHOWN = 12


class PredictionsMaterializer(FolderMaterializer):
    """Answers about images as ``ImagePredictions`` writes them."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (ImagePredictions,)

    def write(self, data: ImagePredictions, folder: Path) -> None:
        """Write answers and images."""
        data.save(folder)

    def read(self, folder: Path) -> ImagePredictions:
        """Read the answers."""
        return ImagePredictions.load(folder)

    def content_of(self, data: ImagePredictions) -> str:
        """Hash prompt and answers."""
        return hashlib.sha256("\n".join([data.prefix, *data.lines()]).encode()).hexdigest()

    def save_visualizations(self, data: ImagePredictions) -> dict[str, VisualizationType]:  # noqa: ARG002
        """Show the first of the drawn images in the dashboard."""
        drawn = f"{self.uri}/drawn"
        names = sorted(map(str, fileio.listdir(drawn))) if fileio.isdir(drawn) else []
        return {f"{drawn}/{name}": VisualizationType.IMAGE for name in names[:_SHOWN]}

    def extract_metadata(self, data: ImagePredictions) -> dict[str, Any]:
        """Count images, boxes, and what went wrong."""
        return {"prefix": data.prefix, **data.counts()}
