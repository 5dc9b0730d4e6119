"""The pipeline ``florence_promote``: a challenger becomes champion if it is better beyond doubt."""

from __future__ import annotations

from zenml import pipeline
from zenml.enums import ExecutionMode

from florence2.adapters.mlflow.aliases import Registry
from florence2.adapters.mlflow.candidates import find_candidates
from florence2.config import (
    DatasetConfig,
    EvaluationConfig,
    ModelConfig,
    PromotionConfiguration,
    PromotionPolicy,
    RegistrationConfig,
    SplitConfig,
    TrainingConfig,
    ValidationConfig,
)
from florence2.data.fingerprint import fingerprint_folder
from florence2.data.sources.locate import locate
from florence2.data.splits.frozen_test import frozen_content
from florence2.model.base import base_fingerprint
from pipelines.stack_registry import tracking_uri
from steps.alerts import alert_failure
from steps.check_infrastructure import check_infrastructure
from steps.decide_promotion import decide_promotion, nothing_to_decide
from steps.evaluate_candidate import evaluate_candidate
from steps.ingest_dataset import ingest_dataset
from steps.mirror_registry import mirror
from steps.promote_model import promote_model
from steps.split_dataset import split_dataset
from steps.validate_annotations import validate_annotations

__all__ = ["florence_promote"]

_DEFAULT = PromotionConfiguration()


@pipeline(
    name="florence_promote",
    enable_cache=True,
    execution_mode=ExecutionMode.FAIL_FAST,
    on_failure=alert_failure,
)
def florence_promote(
    dataset: DatasetConfig = _DEFAULT.dataset,
    validation: ValidationConfig = _DEFAULT.validation,
    split: SplitConfig = _DEFAULT.split,
    model: ModelConfig = _DEFAULT.model,
    training: TrainingConfig = _DEFAULT.training,
    evaluation: EvaluationConfig = _DEFAULT.evaluation,
    registration: RegistrationConfig = _DEFAULT.registration,
    promotion: PromotionPolicy = _DEFAULT.promotion,
) -> None:
    """Find the candidates, ask both on the same test split, decide, and move the alias.

    The parameters are the sections of ``florence2.config.PromotionConfiguration``: those of the fine-tune, so that
    its checks and splits are taken from the cache, and the policy. What a killed run left undone between MLflow and
    ZenML is made up for first. Who is challenger and champion is read here, so that it is part of the cache keys;
    where there is nothing to decide, nothing is evaluated.
    """
    store = tracking_uri()
    mirror(Registry(store, registration.model_name))
    candidates = find_candidates(store, registration)
    if not candidates.undecided:
        nothing_to_decide(candidates=candidates, promotion=promotion)
        return
    folder = locate(dataset.source, verify=dataset.verify)
    manifest = ingest_dataset(dataset=dataset, content=fingerprint_folder(folder, verify=dataset.verify))
    clean_manifest, validation_report = validate_annotations(
        manifest=manifest,
        validation=validation,
        model=model,
        max_target_tokens=training.max_target_tokens,
        base_content=base_fingerprint(model),
    )
    _, test_data, _ = split_dataset(
        clean_manifest=clean_manifest,
        split=split,
        frozen_content=frozen_content(split),
        reference=dataset.reference or "",
        reference_content=fingerprint_folder(locate(dataset.reference)) if dataset.reference else "",
    )
    shown = {}
    for role, candidate in (("challenger", candidates.challenger), ("champion", candidates.champion)):
        if candidate is not None:
            served, failure = check_infrastructure(
                candidate=candidate, test_data=test_data, promotion=promotion, id=f"check_{role}"
            )
            shown[f"{role}_served"] = served
            shown[f"{role}_evaluated"] = evaluate_candidate(
                candidate=candidate,
                failure=failure,
                test_data=test_data,
                evaluation=evaluation,
                id=f"evaluate_{role}",
            )
    decision = decide_promotion(
        candidates=candidates,
        promotion=promotion,
        test_data=test_data,
        validation_report=validation_report,
        **shown,
    )
    promote_model(decision=decision, challenger=candidates.challenger)
