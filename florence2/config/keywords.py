"""The keywords of ``Configuration`` for type checkers and editors: every setting by its name, with its type.

It says nothing that ``sections`` does not say; a test holds the two together.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias, TypedDict

from florence2.config.sections import (
    DatasetConfig,
    EvaluationConfig,
    ModelConfig,
    Outcome,
    RegistrationConfig,
    SplitConfig,
    TrainingConfig,
    ValidationConfig,
)

__all__ = ["AnswerKeywords", "Keywords", "MetricLike"]

Nested: TypeAlias = Mapping[str, Any]
"""A section as a mapping: its keys are checked when it is read."""


class MetricLike(Protocol):
    """A metric object or class: what counts is its name."""

    @property
    def name(self) -> str: ...  # noqa: D102


class AnswerKeywords(TypedDict, total=False):
    """How an answer is generated: the section ``evaluation`` without what judges."""

    eval_batch_size: int
    num_beams: int
    temperature: float
    top_p: float
    generation_seed: int
    max_new_tokens: int
    grammar: Literal["off", "boxes", "classes"]
    classes: Sequence[str]
    duplicate_iou: float


class EvaluationKeywords(AnswerKeywords, total=False):
    """The section ``evaluation``."""

    metrics: Sequence[str | MetricLike | type[MetricLike]]
    examples: int
    resamples: int


class DataKeywords(TypedDict, total=False):
    """The sections ``dataset``, ``validation`` and ``split``."""

    source: str
    format: Literal["auto", "jsonl", "coco", "voc", "yolo", "easy-vqa", "sroie"]
    reference: str | None
    verify: bool
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


class TrainingKeywords(TypedDict, total=False):
    """The sections ``model`` and ``training``."""

    base: str
    revision: str | None
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
    learning_rate: float | None
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


class Keywords(DataKeywords, TrainingKeywords, EvaluationKeywords, total=False):
    """Everything that ``Configuration`` takes: sections by their name, and each setting without its section."""

    dataset: DatasetConfig | Nested | str | os.PathLike[str]
    validation: ValidationConfig | Nested | str
    split: SplitConfig | Nested
    model: ModelConfig | Nested | str | os.PathLike[str]
    training: TrainingConfig | Nested | str
    evaluation: EvaluationConfig | Nested
    registration: RegistrationConfig | Nested | str
    model_name: str
    alias: str
