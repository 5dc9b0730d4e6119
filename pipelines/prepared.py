"""The steps that every pipeline about a data set begins with: ingest, validate, split."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from florence2.codec import dump_tasks, task_table
from florence2.config import DatasetConfig, ModelConfig, SplitConfig, TasksConfig, TrainingConfig, ValidationConfig
from florence2.datasets import format_modules, frozen_content, rule_modules
from florence2.model import base_fingerprint, base_tasks
from florence2.recipes import choose_base
from pipelines.machines import gpu_memory_gib, on_cpu
from pipelines.portable import content_of, portable_dataset, portable_model, portable_split
from steps.code_dependencies import code_of_modules
from steps.ingest_dataset import ingest_dataset
from steps.split_dataset import split_dataset
from steps.validate_annotations import validate_annotations

logger = logging.getLogger(__name__)

__all__ = ["Prepared", "prepare_data"]


@dataclass(frozen=True)
class Prepared:
    """The outputs of those steps, and the settings that later steps share with them.

    Attributes:
        split: settings that mean the same on every machine.
        model: the base, chosen where it was left open; settings that mean the same on every machine.
        base_content: fingerprint of the base.
        validation_report: artifact of the run.
        training_data: artifact of the run.
        test_data: artifact of the run.
    """

    split: SplitConfig
    model: ModelConfig
    base_content: str
    validation_report: Any
    training_data: Any
    test_data: Any


def prepare_data(
    dataset: DatasetConfig,
    tasks: TasksConfig,
    validation: ValidationConfig,
    split: SplitConfig,
    model: ModelConfig,
    training: TrainingConfig,
) -> Prepared:
    """Connect the steps that make training and test data of a data set.

    The content that the settings name is hashed here, so that a change of it changes the cache keys, and its errors are
    raised before anything runs. What only this machine can read is packed for the others.
    """
    base = choose_base(model, dataset.source, gpu=gpu_memory_gib)
    if base.reason:
        logger.info("%s", base.reason)
    task_table(tasks.task)  # raises for a task that could be taken for another
    known = base_tasks(base.model)
    model, base_content = portable_model(base.model), base_fingerprint(base.model)
    dataset, split, frozen = portable_dataset(dataset), portable_split(split), frozen_content(split)
    manifest = ingest_dataset.with_options(**on_cpu())(
        dataset=dataset,
        tasks=tasks,
        base_tasks=dump_tasks(known.own),
        content=content_of(dataset.source, verify=dataset.verify),
        reader_code=code_of_modules(format_modules(dataset.format)),
    )
    clean_manifest, validation_report = validate_annotations.with_options(**on_cpu())(
        manifest=manifest,
        validation=validation,
        model=model,
        max_target_tokens=training.max_target_tokens,
        base_content=base_content,
        rule_code=code_of_modules(rule_modules()),
    )
    training_data, test_data, _ = split_dataset.with_options(**on_cpu())(
        clean_manifest=clean_manifest,
        split=split,
        frozen_content=frozen,
        reference=dataset.reference or "",
        reference_content=content_of(dataset.reference) if dataset.reference else "",
    )
    return Prepared(split, model, base_content, validation_report, training_data, test_data)
