"""The pipeline ``florence_promote``: a challenger becomes champion if it is significantly better."""

from __future__ import annotations

from zenml import pipeline
from zenml.enums import ExecutionMode

from florence2.adapters import Registry, find_candidates
from florence2.config import (
    DatasetConfig,
    Effect,
    EvaluationConfig,
    ModelConfig,
    PromotionConfig,
    PromotionConfiguration,
    RegistrationConfig,
    SplitConfig,
    TasksConfig,
    TrainingConfig,
    ValidationConfig,
)
from florence2.evaluation import metric_named, source_modules
from pipelines.floor import measure_floor
from pipelines.machines import on_cpu, on_gpu
from pipelines.prepared import prepare_data
from steps.alerts import alert_failure
from steps.check_infrastructure import check_infrastructure
from steps.code_dependencies import code_of_modules
from steps.decide_promotion import decide_promotion, nothing_to_decide
from steps.evaluate_candidate import evaluate_candidate
from steps.mirror_registry import mirror
from steps.promote_model import promote_model
from steps.stack_registry import tracking_uri
from steps.uncached_settings import uncached_options

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
    tasks: TasksConfig = _DEFAULT.tasks,
    validation: ValidationConfig = _DEFAULT.validation,
    split: SplitConfig = _DEFAULT.split,
    model: ModelConfig = _DEFAULT.model,
    training: TrainingConfig = _DEFAULT.training,
    evaluation: EvaluationConfig = _DEFAULT.evaluation,
    registration: RegistrationConfig = _DEFAULT.registration,
    promotion: PromotionConfig = _DEFAULT.promotion,
) -> None:
    """Find the candidates, evaluate both on the same test split, decide, and move the alias.

    The parameters are the sections of ``florence2.config.PromotionConfiguration``: those of the fine-tune, so that
    its checks and splits are taken from the cache, and the policy. What a killed run left undone between MLflow and
    ZenML is completed first. Who is challenger and champion is read here, so that it is part of the cache keys;
    where there is nothing to decide, nothing is evaluated. The challenger's base, and answers without the image, are
    evaluated on that split, too.
    """
    for metric in evaluation.metrics:
        metric_named(metric)
    metric_code = code_of_modules(source_modules(evaluation.metrics))
    store = tracking_uri()
    mirror(Registry(store, registration.model_name))
    candidates = find_candidates(store, registration)
    if candidates.challenger is None or not candidates.undecided:
        nothing_to_decide.with_options(**on_cpu())(candidates=candidates, promotion=promotion)
        return
    data = prepare_data(dataset, tasks, validation, split, model, training)
    evaluate = evaluate_candidate.with_options(**on_gpu(), **uncached_options(evaluation=evaluation))
    measured = {}
    for role, candidate in (("challenger", candidates.challenger), ("champion", candidates.champion)):
        if candidate is not None:
            served, failure = check_infrastructure.with_options(**on_cpu())(
                candidate=candidate, test_data=data.test_data, promotion=promotion, id=f"check_{role}"
            )
            measured[f"{role}_served"] = served
            measured[f"{role}_evaluated"] = evaluate(
                candidate=candidate,
                failure=failure,
                test_data=data.test_data,
                evaluation=evaluation.without(Effect.EXECUTION),
                metric_code=metric_code,
                id=f"evaluate_{role}",
            )
    if promotion.floor:
        measured |= measure_floor(candidates.challenger, data, evaluation, metric_code)
    decision = decide_promotion.with_options(**on_cpu())(
        candidates=candidates,
        promotion=promotion,
        test_data=data.test_data,
        validation_report=data.validation_report,
        **measured,
    )
    promote_model.with_options(**on_cpu())(decision=decision, challenger=candidates.challenger)
