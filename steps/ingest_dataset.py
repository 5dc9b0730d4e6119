"""Step: a data set becomes a manifest."""

from __future__ import annotations

from typing import Annotated, Any

from zenml import step

from florence2.codec import TASKS, joined, parse_tasks, task_table
from florence2.config import DatasetConfig, TasksConfig
from florence2.datasets import DatasetManifest, ingest
from materializers.manifest import ManifestMaterializer
from steps.artifact_store import fetch_packed
from steps.code_dependencies import follow_code

__all__ = ["ingest_dataset"]


@step(cache_policy=follow_code(__file__), output_materializers=ManifestMaterializer)
def ingest_dataset(
    dataset: DatasetConfig,
    tasks: TasksConfig,
    base_tasks: list[dict[str, Any]],
    content: str,  # noqa: ARG001
    reader_code: str,  # noqa: ARG001
) -> Annotated[DatasetManifest, "manifest"]:
    """Read every annotation line and probe every image.

    Args:
        dataset: the source of the data set.
        tasks: the user's own tasks.
        base_tasks: those of the base, as ``dump_tasks`` returns them.
        content: fingerprint of the folder; a changed file changes it, and with it the cache key.
        reader_code: hashes of the code of formats of other packages, for the cache key.
    """
    fetch_packed(dataset.source)
    known = joined(TASKS, parse_tasks(base_tasks))
    return ingest(dataset, joined(known, task_table(tasks.task).own))
