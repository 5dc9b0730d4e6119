"""The pipeline ``florence_finetune``: from a folder of annotated images to a registered model."""

from __future__ import annotations

from zenml import Model, pipeline
from zenml.enums import ExecutionMode

from florence2.config import (
    Configuration,
    DatasetConfig,
    EvaluationConfig,
    ModelConfig,
    RegistrationConfig,
    SplitConfig,
    TrainingConfig,
    ValidationConfig,
)
from florence2.data.fingerprint import fingerprint_folder
from florence2.data.rules import outcomes_of
from florence2.data.sources.locate import locate
from florence2.data.splits.frozen_test import frozen_content
from florence2.evaluation.metrics import metric_named
from florence2.model.base import base_fingerprint
from steps.alerts import alert_failure
from steps.code_dependencies import code_of
from steps.evaluate_model import evaluate_model
from steps.fine_tune import fine_tune
from steps.ingest_dataset import ingest_dataset
from steps.register_model import register_model
from steps.split_dataset import split_dataset
from steps.validate_annotations import validate_annotations

__all__ = ["florence_finetune"]

_DEFAULT = Configuration()


@pipeline(
    name="florence_finetune",
    enable_cache=True,
    execution_mode=ExecutionMode.FAIL_FAST,
    on_failure=alert_failure,
)
def florence_finetune(
    dataset: DatasetConfig = _DEFAULT.dataset,
    validation: ValidationConfig = _DEFAULT.validation,
    split: SplitConfig = _DEFAULT.split,
    model: ModelConfig = _DEFAULT.model,
    training: TrainingConfig = _DEFAULT.training,
    evaluation: EvaluationConfig = _DEFAULT.evaluation,
    registration: RegistrationConfig = _DEFAULT.registration,
) -> None:
    """Ingest, validate, split, fine-tune, evaluate, register.

    The parameters are the sections of ``florence2.config.Configuration``; the ``parameters`` of a YAML file
    mirror them. The content of the data set and of the base are hashed here, so that a change of either is part
    of the cache keys, and what is wrong with the base, a rule or a metric is said before anything runs.
    """
    for metric in evaluation.metrics:
        metric_named(metric)
    outcomes_of(validation)
    base_content = base_fingerprint(model)
    folder = locate(dataset.source, verify=dataset.verify)
    manifest = ingest_dataset(dataset=dataset, content=fingerprint_folder(folder, verify=dataset.verify))
    clean_manifest, _ = validate_annotations(
        manifest=manifest,
        validation=validation,
        model=model,
        max_target_tokens=training.max_target_tokens,
        base_content=base_content,
    )
    training_data, test_data, _ = split_dataset(
        clean_manifest=clean_manifest,
        split=split,
        frozen_content=frozen_content(split),
        reference=dataset.reference or "",
        reference_content=fingerprint_folder(locate(dataset.reference)) if dataset.reference else "",
    )
    judged = training.best_by != "loss"
    checkpoint = fine_tune(
        training_data=training_data,
        model=model,
        training=training,
        evaluation=evaluation if judged else None,
        base_content=base_content,
        judge_code=code_of("florence2.evaluation.judge") if judged else "",
    )
    report = evaluate_model(test_data=test_data, checkpoint=checkpoint, evaluation=evaluation)
    register = register_model.with_options(model=Model(name=registration.model_name))
    register(
        checkpoint=checkpoint,
        evaluation_report=report,
        training_data=training_data,
        test_data=test_data,
        configuration=Configuration(
            validation=validation,
            split=split,
            model=model,
            training=training,
            evaluation=evaluation,
            registration=registration,
        ),
    )
