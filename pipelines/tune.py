"""The pipeline ``florence_tune``: from a folder of annotated images to a recipe that was searched for on them."""

from __future__ import annotations

from typing import Any

from zenml import pipeline, unmapped

from florence2.config import (
    DatasetConfig,
    EvaluationConfig,
    ModelConfig,
    RegistrationConfig,
    SearchConfig,
    SplitConfig,
    TasksConfig,
    TrainingConfig,
    TuningConfiguration,
    ValidationConfig,
)
from florence2.evaluation import metric_named, source_modules
from florence2.tuning import check_space, settings_by_name
from pipelines.machines import on_cpu, on_gpu
from pipelines.portable import portable_recipe
from pipelines.prepared import prepare_data
from steps.alerts import alert_failure
from steps.choose_recipe import choose_recipe
from steps.code_dependencies import code_of, code_of_modules
from steps.conclude_search import conclude_search
from steps.plan_search import plan_search
from steps.propose_trials import propose_trials
from steps.run_trial import run_trial
from steps.uncached_settings import given, uncached_options

__all__ = ["florence_tune"]

_DEFAULT = TuningConfiguration()


@pipeline(name="florence_tune", dynamic=True, enable_cache=True, on_failure=alert_failure)
def florence_tune(
    dataset: DatasetConfig = _DEFAULT.dataset,
    tasks: TasksConfig = _DEFAULT.tasks,
    validation: ValidationConfig = _DEFAULT.validation,
    split: SplitConfig = _DEFAULT.split,
    model: ModelConfig = _DEFAULT.model,
    training: TrainingConfig = _DEFAULT.training,
    evaluation: EvaluationConfig = _DEFAULT.evaluation,
    registration: RegistrationConfig = _DEFAULT.registration,  # noqa: ARG001 - so that files of a fine-tune fit
    search: SearchConfig = _DEFAULT.search,
) -> None:
    """Ingest, validate, split, choose the recipe; then trials, in rounds, until there are enough; then the winner.

    The parameters are the sections of ``florence2.config.TuningConfiguration``. The first steps are those of
    ``florence_finetune`` and share their cache. Each trial is a step of its own: a run that was killed and is started
    again repeats only what had not ended.
    """
    for metric in evaluation.metrics:
        metric_named(metric)
    check_space(search.space, training)
    names = sorted(settings_by_name(training, only_given=True))
    training, own_recipe = portable_recipe(training)
    data = prepare_data(dataset, tasks, validation, split, model, training)
    uncached = uncached_options(training=training, evaluation=evaluation)
    settings, measure = choose_recipe.with_options(**on_cpu())(
        training_data=data.training_data,
        model=data.model,
        training=given(training),
        evaluation=given(evaluation),
        base_content=data.base_content,
        own_recipe=own_recipe,
        evaluator_code=code_of("florence2.evaluation.epoch_evaluator")
        + code_of_modules(source_modules(evaluation.metrics)),
    )
    plan = plan_search.with_options(**on_gpu(), **uncached)(
        training_data=data.training_data,
        model=data.model,
        settings=settings,
        evaluation=measure,
        search=search,
        given=names,
        base_content=data.base_content,
    )
    ended: list[Any] = []
    while (proposed := propose_trials(plan=plan, ended=ended, count=search.parallel)).load():
        results = run_trial.with_options(**on_gpu(), **uncached).map(
            trial=proposed,
            training_data=unmapped(data.training_data),
            model=unmapped(data.model),
            evaluation=unmapped(measure),
            base_content=unmapped(data.base_content),
        )
        ended = [*ended, *results]
    conclude_search(plan=plan, ended=ended, training_data=data.training_data, model=data.model, evaluation=measure)
