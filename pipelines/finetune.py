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
    TasksConfig,
    TrainingConfig,
    ValidationConfig,
)
from florence2.datasets import outcomes_of
from florence2.evaluation import metric_named, source_modules
from pipelines.machines import on_cpu, on_gpu
from pipelines.portable import portable_recipe
from pipelines.prepared import prepare_data
from steps.alerts import alert_failure
from steps.choose_learning_rate import choose_learning_rate
from steps.choose_recipe import choose_recipe
from steps.code_dependencies import code_of, code_of_modules
from steps.evaluate_model import evaluate_model
from steps.fine_tune import fine_tune
from steps.register_model import register_model
from steps.uncached_settings import given, uncached_options

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
    tasks: TasksConfig = _DEFAULT.tasks,
    validation: ValidationConfig = _DEFAULT.validation,
    split: SplitConfig = _DEFAULT.split,
    model: ModelConfig = _DEFAULT.model,
    training: TrainingConfig = _DEFAULT.training,
    evaluation: EvaluationConfig = _DEFAULT.evaluation,
    registration: RegistrationConfig = _DEFAULT.registration,
) -> None:
    """Ingest, validate, split, choose recipe and learning rate, fine-tune, evaluate, register.

    The parameters are the sections of ``florence2.config.Configuration``; the ``parameters`` of a YAML file
    mirror them. An error of the data set as a whole, the base, a rule or a metric is raised before anything runs.
    """
    for metric in evaluation.metrics:
        metric_named(metric)
    outcomes_of(validation)
    training, own_recipe = portable_recipe(training)
    data = prepare_data(dataset, tasks, validation, split, model, training)
    metric_code = code_of_modules(source_modules(evaluation.metrics))
    uncached = uncached_options(training=training, evaluation=evaluation)
    recipe, measure = choose_recipe.with_options(**on_cpu())(
        training_data=data.training_data,
        model=data.model,
        training=given(training),
        evaluation=given(evaluation),
        base_content=data.base_content,
        own_recipe=own_recipe,
        evaluator_code=code_of("florence2.evaluation.epoch_evaluator") + metric_code,
    )
    settings, rates = choose_learning_rate.with_options(**on_gpu(), **uncached)(
        training_data=data.training_data, model=data.model, settings=recipe, base_content=data.base_content
    )
    checkpoint = fine_tune.with_options(**on_gpu(), **uncached)(
        training_data=data.training_data, model=data.model, settings=settings, base_content=data.base_content
    )
    report = evaluate_model.with_options(**on_gpu(), **uncached)(
        training_data=data.training_data,
        test_data=data.test_data,
        checkpoint=checkpoint,
        learning_rates=rates,
        evaluation=measure,
        metric_code=metric_code,
    )
    register = register_model.with_options(model=Model(name=registration.model_name), **on_cpu(), **uncached)
    register(
        checkpoint=checkpoint,
        evaluation_report=report,
        training_data=data.training_data,
        test_data=data.test_data,
        settings=settings,
        evaluation=measure,
        configuration=Configuration(
            tasks=tasks, validation=validation, split=data.split, model=data.model, registration=registration
        ),
    )
