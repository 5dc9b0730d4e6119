"""The base of all materializers here: an artifact is a folder of open formats, copied to the artifact store."""

from __future__ import annotations

import tempfile
from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from zenml.enums import ArtifactType
from zenml.materializers.base_materializer import BaseMaterializer
from zenml.utils import io_utils

__all__ = ["FolderMaterializer"]


class FolderMaterializer(BaseMaterializer):
    """Stores an artifact as a folder; the artifact itself knows how to write and read one."""

    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA
    SKIP_REGISTRATION: ClassVar[bool] = True

    @abstractmethod
    def write(self, data: Any, folder: Path) -> None:
        """Write the artifact into an empty folder."""

    @abstractmethod
    def read(self, folder: Path) -> Any:
        """Read the artifact from a folder that exists as long as the process runs."""

    @abstractmethod
    def content_of(self, data: Any) -> str:
        """Return a hash of everything in the artifact that a later step can depend on."""

    def save(self, data: Any) -> None:
        """Write the artifact to the artifact store."""
        with tempfile.TemporaryDirectory() as folder:
            self.write(data, Path(folder))
            io_utils.copy_dir(folder, self.uri, overwrite=True)

    def load(self, data_type: type[Any]) -> Any:  # noqa: ARG002
        """Read the artifact from the artifact store."""
        if Path(self.uri).is_dir():  # a local store: no need for a copy
            return self.read(Path(self.uri))
        with self.get_temporary_directory(delete_at_exit=False, delete_after_step_execution=True) as folder:
            io_utils.copy_dir(self.uri, folder, overwrite=True)
            return self.read(Path(folder))

    def compute_content_hash(self, data: Any) -> str:
        """Return the hash that is part of the cache key of steps that take this artifact."""
        return self.content_of(data)
