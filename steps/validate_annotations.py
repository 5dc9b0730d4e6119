"""Step: Great Expectations checks every sample; invalid ones stop the run, are repaired or left out."""

from __future__ import annotations

from typing import Annotated

from zenml import save_artifact, step

from florence2.adapters import validate
from florence2.config import ModelConfig, ValidationConfig
from florence2.datasets import DatasetManifest, ValidationReport, raise_for_errors
from florence2.errors import DatasetError
from florence2.model import answer_length
from materializers.manifest import ManifestMaterializer
from materializers.validation_report import ValidationReportMaterializer
from steps.artifact_store import fetch_packed
from steps.code_dependencies import follow_code

__all__ = ["validate_annotations"]


@step(
    cache_policy=follow_code(__file__),
    output_materializers={"clean_manifest": ManifestMaterializer, "validation_report": ValidationReportMaterializer},
)
def validate_annotations(
    manifest: DatasetManifest,
    validation: ValidationConfig,
    model: ModelConfig,
    max_target_tokens: int,
    base_content: str,  # noqa: ARG001
    rule_code: str,  # noqa: ARG001
) -> tuple[Annotated[DatasetManifest, "clean_manifest"], Annotated[ValidationReport, "validation_report"]]:
    """Apply the rules; the settings say what becomes of samples that break one.

    Args:
        manifest: all samples.
        validation: the outcome of each rule.
        model: the base; its tokenizer measures the answers.
        max_target_tokens: longest answer in tokens.
        base_content: fingerprint of the base; a changed tokenizer changes the cache key.
        rule_code: hashes of the code of rules of other packages; their edits change the cache key.
    """
    fetch_packed(model.base)
    length = answer_length(model, max_target_tokens)
    clean, report = validate(manifest, validation, count_tokens=length.count, max_target_tokens=length.limit)
    try:
        raise_for_errors(clean, report)
    except DatasetError:
        # A step that fails stores no outputs: keep the Data Docs, which show what to repair.
        save_artifact(report, name="validation_report", materializer=ValidationReportMaterializer)
        raise
    return clean, report
