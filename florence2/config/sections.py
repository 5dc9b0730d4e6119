"""The sections of the configuration but for training, one per concern: each default and its meaning in one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Protocol, Self

from pydantic import Field, field_validator, model_validator

from florence2.config.base import BaseConfig, Effect, Fraction, Seed

__all__ = [
    "DatasetConfig",
    "EvaluationConfig",
    "ImagesConfig",
    "MetricLike",
    "ModelConfig",
    "Outcome",
    "RegistrationConfig",
    "SplitConfig",
    "ValidationConfig",
]

Outcome = Literal["fail", "quarantine", "repair", "warn", "ignore"]
"""What happens to a sample that breaks a rule."""


class MetricLike(Protocol):
    """A metric object or class; it is found again by its name."""

    @property
    def name(self) -> str: ...  # noqa: D102


class DatasetConfig(BaseConfig):
    """Where the annotated images come from."""

    source: str = Field(
        "builtin:cards",
        min_length=1,
        description="Folder, .zip or .tar file, annotation file or URI (s3://, https://, ...) of the data set, or "
        "builtin:cards.",
    )
    format: str = Field(
        "auto",
        min_length=1,
        description="Format of the data set; auto: recognised by its files.",
    )
    reference: str | None = Field(
        None,
        min_length=1,
        description="Data set to compare with in the statistics, for example that of the last model.",
    )
    verify: bool = Field(False, description="Read every file again, even if its size and time have not changed.")


class ValidationConfig(BaseConfig):
    """What to do about samples that break a rule."""

    on_error: Literal["fail", "quarantine", "repair"] = Field(
        "fail",
        description="fail: stop the run; quarantine: continue without the bad samples and list them; "
        "repair: repair what can be repaired safely, stop at the rest.",
    )
    rules: dict[str, Outcome] = Field(
        default_factory=dict, description="Outcome of single rules by their code, for example box-outside: repair."
    )
    tiny_box: int = Field(
        4, ge=0, le=1000, description="Boxes with a side of fewer bins (of 1000) are reported as tiny."
    )
    near_iou: float = Field(
        0.9, gt=0, le=1, description="Boxes of one class that overlap more are reported as duplicates."
    )
    rare_class: int = Field(5, ge=0, description="Classes with fewer boxes in the training split are reported as rare.")
    typo_ratio: int = Field(
        5,
        ge=2,
        description="A class is reported as a typo if one that differs by a letter is this many times as frequent.",
    )

    @field_validator("rules", mode="before")
    @classmethod
    def _accept_pairs(cls, value: Any) -> Any:
        """Accept ``["box-outside=repair"]`` as well, which the command line gives."""
        if isinstance(value, list | tuple):
            pairs = [str(pair).partition("=") for pair in value]
            return {code: outcome for code, _, outcome in pairs}
        return value


class SplitConfig(BaseConfig):
    """How to split a data set, or the part of it that has no split, by image."""

    valid_fraction: Fraction = Field(0.1, description="Share of the images for validation where no split is given.")
    test_fraction: Fraction = Field(0.1, description="Share of the images for the test where no split is given.")
    split_seed: Seed = Field(0, description="Seed of the shuffle.")
    frozen_test: str | None = Field(
        None, description="File that names the images of the test split, as florence2 freeze writes it."
    )

    @model_validator(mode="after")
    def _leave_some_for_training(self) -> Self:
        if self.valid_fraction + self.test_fraction >= 1.0:
            raise ValueError(
                f"valid_fraction {self.valid_fraction} + test_fraction {self.test_fraction} leave nothing to train on"
            )
        return self


class ModelConfig(BaseConfig):
    """The model to start from."""

    base: str = Field(
        "auto",
        min_length=1,
        description="auto: chosen by the GPU and what can be reached; or builtin:nano, builtin:small, or a folder or a "
        "hub id in either layout, such as microsoft/Florence-2-base-ft.",
    )
    revision: str | None = Field(None, description="Branch, tag or commit of a hub id.")


class EvaluationConfig(BaseConfig):
    """How answers are generated and evaluated."""

    eval_batch_size: Annotated[int, Effect.EXECUTION] = Field(
        16, ge=1, le=65_536, description="Images per generation step."
    )
    num_beams: int = Field(1, ge=1, le=64, description="Beams; 1 is greedy.")
    temperature: float = Field(0.0, ge=0.0, description="Temperature of sampling; 0: the most probable token is taken.")
    top_p: float = Field(
        1.0,
        gt=0.0,
        le=1.0,
        description="Sampling is from the most probable tokens that have this probability together.",
    )
    generation_seed: Seed = Field(0, description="Seed of sampling.")
    max_new_tokens: int = Field(1024, ge=1, description="Most tokens of a generated answer.")
    grammar: Literal["off", "boxes", "classes"] = Field(
        "boxes",
        description="Constraint on answers with boxes and in JSON: off: none; boxes: names with four ordered "
        "locations, and JSON that can be read; classes: as boxes, and for <OD> only names in classes, which the model "
        "must have learnt.",
    )
    classes: tuple[str, ...] = Field((), description="Class names for grammar: classes.")
    duplicate_iou: float = Field(
        0.9,
        gt=0.0,
        le=1.0,
        description="Boxes of a class in one answer that overlap more are merged into one; 1: all are kept.",
    )
    min_confidence: Fraction = Field(
        0.0,
        description="Least confidence of a box; boxes below it are left out. 0 keeps all, which mAP needs.",
    )
    metrics: tuple[str, ...] = Field(
        (), description="Names of metrics, or module:Class of your own; empty: the ones of each task."
    )
    examples: Annotated[int, Effect.REPORT] = Field(
        12, ge=0, description="Samples spread over the split that the report shows with their answers."
    )
    resamples: Annotated[int, Effect.REPORT] = Field(
        1000,
        ge=0,
        le=100_000,
        description="Resamples of the images from which intervals are computed; 0: no intervals.",
    )

    @model_validator(mode="before")
    @classmethod
    def _accept_metric_objects(cls, values: Any) -> Any:
        """Accept metric objects and classes by their name, so that ``metrics=[MeanAveragePrecisionMetric()]`` works."""
        if isinstance(values, Mapping) and isinstance(values.get("metrics"), list | tuple):
            return {**values, "metrics": tuple(_metric_name(metric) for metric in values["metrics"])}
        return values

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.temperature and self.num_beams > 1:
            raise ValueError("temperature samples and num_beams searches: set temperature to 0 or num_beams to 1")
        if self.grammar == "classes" and not any(name.strip() for name in self.classes):
            raise ValueError("grammar: classes needs the names in classes")
        return self


def _metric_name(metric: Any) -> Any:
    """Return the name of a metric of ours, ``module:Class`` for one of the user's own, and what is neither as it is."""
    kind = metric if isinstance(metric, type) else type(metric)
    if not hasattr(kind, "name"):
        return metric
    if kind.__module__.partition(".")[0] == __name__.partition(".")[0]:
        return kind.name
    if "<locals>" in kind.__qualname__:
        raise ValueError(
            f"metric {kind.__name__}: cannot be found by its name in a function; define it at the top of a module"
        )
    return f"{kind.__module__}:{kind.__qualname__}"


class ImagesConfig(BaseConfig):
    """Images for which to generate answers to a prompt."""

    folder: str = Field(min_length=1, description="Folder, .zip or .tar file, or URI of the images.")
    prefix: str = Field("<OD>", min_length=1, description="The prompt: a task token and the text after it.")
    drawn: int = Field(100, ge=0, description="Number of images that are drawn with their boxes, from the first.")
    output: str | None = Field(
        None,
        min_length=1,
        description="Folder or URI in which answers are kept, and from which a killed run continues; empty: "
        "FOLDER-predictions next to the images.",
    )
    keep_answers: bool = Field(True, description="Keep the answers in a folder; a killed run needs them to continue.")

    @model_validator(mode="before")
    @classmethod
    def _accept_words_for_folders(cls, values: Any) -> Any:
        """Accept ``output: beside`` and ``output: none`` of earlier versions."""
        if isinstance(values, Mapping) and values.get("output") == "beside":
            return {**values, "output": None}
        if isinstance(values, Mapping) and values.get("output") == "none":
            return {**values, "output": None, "keep_answers": False}
        return values

    @model_validator(mode="after")
    def _keep_what_has_a_folder(self) -> Self:
        if self.output is not None and not self.keep_answers:
            raise ValueError("output names a folder for answers, but keep_answers is false: remove one of them")
        return self


class RegistrationConfig(BaseConfig):
    """Name and alias of the result in the model registry."""

    model_name: str = Field(
        "florence2-finetune", pattern=r"^\w[\w.-]*$", max_length=250, description="Name in the registries."
    )
    alias: str = Field(
        "challenger", pattern=r"^[a-z][\w-]*$", max_length=250, description="Alias that is moved to the new version."
    )

    @field_validator("alias")
    @classmethod
    def _leave_the_registrys_own_names(cls, alias: str) -> str:
        if alias == "latest" or (alias[0] == "v" and alias[1:].isdigit()):
            raise ValueError("latest and v1, v2, ... are names that the MLflow registry gives itself")
        return alias
