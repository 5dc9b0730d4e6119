"""Stores a ``Checkpoint``: safetensors and JSON."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, ClassVar

from zenml.enums import ArtifactType

from florence2.model import Checkpoint
from materializers.folder import FolderMaterializer

__all__ = ["CheckpointMaterializer"]


class CheckpointMaterializer(FolderMaterializer):
    """A checkpoint folder as it is."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Checkpoint,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.MODEL

    def write(self, data: Checkpoint, folder: Path) -> None:
        """Copy the checkpoint."""
        shutil.copytree(data.folder, folder, dirs_exist_ok=True)

    def read(self, folder: Path) -> Checkpoint:
        """Open the checkpoint."""
        return Checkpoint.read(folder)

    def content_of(self, data: Checkpoint) -> str:
        """Return the checkpoint's own fingerprint: weights and base."""
        return data.compute_fingerprint()

    def extract_metadata(self, data: Checkpoint) -> dict[str, Any]:
        """Publish the strategy, the base, the epoch and its scores."""
        return {"strategy": data.strategy, "base": data.base, "epoch": data.epoch, **data.metrics}
