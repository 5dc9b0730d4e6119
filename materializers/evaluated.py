"""Stores ``Evaluated``: the scores of a candidate, and those of every resample."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Any, ClassVar

from florence2.evaluation import Evaluated
from materializers.folder import FolderMaterializer

__all__ = ["EvaluatedMaterializer"]


class EvaluatedMaterializer(FolderMaterializer):
    """The evaluation of a candidate as evaluation.json and resamples.npz."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Evaluated,)

    def write(self, data: Evaluated, folder: Path) -> None:
        """Write scores and resamples."""
        data.save(folder)

    def read(self, folder: Path) -> Evaluated:
        """Read scores and resamples."""
        return Evaluated.load(folder)

    def content_of(self, data: Evaluated) -> str:
        """Hash the files."""
        with tempfile.TemporaryDirectory() as folder:
            data.save(Path(folder))
            digest = hashlib.sha256()
            for file in sorted(Path(folder).iterdir()):
                digest.update(file.read_bytes())
            return digest.hexdigest()

    def extract_metadata(self, data: Evaluated) -> dict[str, Any]:
        """Publish the scores."""
        return {} if data.evaluation is None else {"scores": data.evaluation.metrics}
