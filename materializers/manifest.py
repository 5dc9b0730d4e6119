"""Stores a ``DatasetManifest``: the table of samples, without pixels."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, ClassVar

from florence2.datasets import DatasetManifest
from materializers.folder import FolderMaterializer

__all__ = ["ManifestMaterializer"]


class ManifestMaterializer(FolderMaterializer):
    """A manifest as a table file and a JSON file."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (DatasetManifest,)

    def write(self, data: DatasetManifest, folder: Path) -> None:
        """Write the manifest."""
        data.save(folder)

    def read(self, folder: Path) -> DatasetManifest:
        """Read the manifest."""
        return DatasetManifest.load(folder)

    def content_of(self, data: DatasetManifest) -> str:
        """Hash rows and image contents, and where they lie: later steps read the images from there."""
        return hashlib.sha256(f"{data.source}\0{data.fingerprint}".encode()).hexdigest()

    def extract_metadata(self, data: DatasetManifest) -> dict[str, Any]:
        """Count the rows of each split."""
        rows = {f"rows_{name or 'unsplit'}": int(n) for name, n in data.table["split"].value_counts().items()}
        return {"fingerprint": data.fingerprint, "place": data.source, "rows": len(data), **rows}
