"""Step: every image belongs to train, valid or test."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from florence2.config import SplitConfig
from florence2.data import splits as splitting
from florence2.data.manifest import DatasetManifest
from materializers.manifest import ManifestMaterializer
from steps.code_dependencies import follow_code

__all__ = ["split_dataset"]


@step(cache_policy=follow_code(__file__), output_materializers=ManifestMaterializer)
def split_dataset(clean_manifest: DatasetManifest, split: SplitConfig) -> Annotated[DatasetManifest, "splits"]:
    """Keep the splits given; make seeded ones where there are none.

    Args:
        clean_manifest: valid rows.
        split: shares and seed.
    """
    return splitting.split_dataset(clean_manifest, split)
