# fmt: off
"""The keywords of ``Configuration`` for type checkers and editors: every setting by its name, with its type.

Made by ``python -m docs.generator`` from the fields of the sections; do not edit it by hand.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict

from florence2.config.sections import DatasetConfig
from florence2.config.sections import EvaluationConfig
from florence2.config.sections import MetricLike
from florence2.config.sections import ModelConfig
from florence2.config.sections import Outcome
from florence2.config.sections import RegistrationConfig
from florence2.config.sections import SplitConfig
from florence2.config.sections import ValidationConfig
from florence2.config.tasks import TaskConfig
from florence2.config.tasks import TasksConfig
from florence2.config.training import TrainingConfig

__all__ = ["AnswerKeywords", "Keywords"]

SectionMapping: TypeAlias = Mapping[str, Any]
"""A section as a mapping: its keys are checked when the configuration is made."""


class AnswerKeywords(TypedDict, total=False):
    """How an answer is generated: the section ``evaluation`` without what concerns scores and reports."""

    eval_batch_size: int
    num_beams: int
    temperature: float
    top_p: float
    generation_seed: int
    max_new_tokens: int
    grammar: Literal["off", "boxes", "classes"]
    classes: Sequence[str]
    duplicate_iou: float
    min_confidence: float


class Keywords(AnswerKeywords, total=False):
    """Everything that ``Configuration`` takes: sections by their name, and each setting without its section."""

    source: str
    format: str
    reference: str | None
    verify: bool
    task: Mapping[str, TaskConfig | Mapping[str, Any] | str] | Sequence[str]
    on_error: Literal["fail", "quarantine", "repair"]
    rules: Mapping[str, Outcome] | Sequence[str]
    tiny_box: int
    near_iou: float
    rare_class: int
    typo_ratio: int
    valid_fraction: float
    test_fraction: float
    split_seed: int
    frozen_test: str | None
    base: str
    revision: str | None
    recipe: str
    strategy: Literal["lora", "full", "freeze"]
    rank: int
    alpha: int
    dropout: float
    variant: Literal["lora", "rslora", "dora"]
    targets: str
    box_order: Literal["given", "left_to_right", "random"]
    eos_weight: float
    location_smoothing: float
    flip: float
    crop: float
    light: float
    loader_workers: int | None
    image_cache_gib: float
    feature_cache_gib: float
    gradient_checkpointing: bool
    processes: int
    save_minutes: float
    epochs: int
    batch_size: int
    gradient_accumulation: int
    learning_rate: float | Literal["auto"] | None
    warmup: float
    schedule: Literal["cosine", "linear", "constant"]
    weight_decay: float
    max_grad_norm: float
    max_target_tokens: int
    group_by_length: bool
    precision: Literal["auto", "float32", "bfloat16"]
    best_by: str
    preview: int
    patience: int | None
    seed: int
    metrics: Sequence[str | MetricLike | type[MetricLike]]
    examples: int
    resamples: int
    model_name: str
    alias: str
    dataset: DatasetConfig | SectionMapping | str | os.PathLike[str]
    tasks: TasksConfig | SectionMapping
    validation: ValidationConfig | SectionMapping | str | os.PathLike[str]
    split: SplitConfig | SectionMapping
    model: ModelConfig | SectionMapping | str | os.PathLike[str]
    training: TrainingConfig | SectionMapping | str | os.PathLike[str]
    evaluation: EvaluationConfig | SectionMapping
    registration: RegistrationConfig | SectionMapping | str | os.PathLike[str]
