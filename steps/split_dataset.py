"""Step: every image is assigned to train, valid or test, and the result is described."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from florence2.config import DatasetConfig, SplitConfig
from florence2.datasets import DatasetManifest, ingest, load_frozen
from florence2.datasets import split_dataset as assign_splits
from florence2.reports import Description, describe
from materializers.description import DescriptionMaterializer
from materializers.manifest import ManifestMaterializer
from steps.artifact_store import fetch_packed
from steps.code_dependencies import follow_code

__all__ = ["split_dataset"]


# One materializer for both outputs would go through a set of their names in ZenML 0.98, whose order, and with it the
# cache key, differs from process to process.
@step(
    cache_policy=follow_code(__file__),
    output_materializers={
        "training_data": ManifestMaterializer,
        "test_data": ManifestMaterializer,
        "description": DescriptionMaterializer,
    },
)
def split_dataset(
    clean_manifest: DatasetManifest,
    split: SplitConfig,
    frozen_content: str,  # noqa: ARG001
    reference: str,
    reference_content: str,  # noqa: ARG001
) -> tuple[
    Annotated[DatasetManifest, "training_data"],
    Annotated[DatasetManifest, "test_data"],
    Annotated[Description, "description"],
]:
    """Keep the splits of the data set; assign images by the seed where it has none.

    The test split is an artifact of its own: a change in it evaluates again, but trains nothing.

    Args:
        clean_manifest: the valid samples.
        split: shares, seed and frozen test.
        frozen_content: fingerprint of the file that names the frozen test; a change of it changes the cache key.
        reference: source of the data set that this one is compared with, empty for none.
        reference_content: fingerprint of that data set.
    """
    fetch_packed(clean_manifest.source, split.frozen_test, reference)
    with_splits = assign_splits(clean_manifest, split, load_frozen(split))
    other = ingest(DatasetConfig(source=reference)) if reference else None
    return with_splits.select("train", "valid"), with_splits.select("test"), describe(with_splits, other)
