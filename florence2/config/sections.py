"""The sections of the configuration, one per concern: typed, frozen, each default and its meaning in one place."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, Literal, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

__all__ = [
    "AugmentationConfig",
    "BaseConfig",
    "DatasetConfig",
    "Effect",
    "EngineConfig",
    "EvaluationConfig",
    "ImagesConfig",
    "LoraConfig",
    "MetricLike",
    "ModelConfig",
    "ObjectiveConfig",
    "Outcome",
    "RegistrationConfig",
    "SplitConfig",
    "TrainingConfig",
    "ValidationConfig",
]

Outcome = Literal["fail", "quarantine", "repair", "warn", "ignore"]
"""What happens to a sample that breaks a rule."""
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]


class Effect(Enum):
    """What a setting has an effect on, where that is not the whole result.

    It stands on the field, as in ``Annotated[int, Effect.COURSE]``. The cache keys of the pipeline, and the check
    whether a killed run may continue with other settings, follow from it.

    Attributes:
        COURSE: how something runs: its speed, memory and saves, and the previews; not its result.
        REPORT: what a report shows of the answers; neither the answers nor which epoch is the best.
    """

    COURSE = "course"
    REPORT = "report"


class MetricLike(Protocol):
    """A metric object or class; it is found again by its name."""

    @property
    def name(self) -> str: ...  # noqa: D102


class BaseConfig(BaseModel):
    """Base of all sections: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def with_effect(cls, *effects: Effect) -> set[str]:
        """Return the keys of the settings of this section that have one of these effects and no other."""
        return {key for key, field in cls.model_fields.items() if any(effect in field.metadata for effect in effects)}

    def without(self, *effects: Effect) -> Self:
        """Return a copy in which every setting with one of these effects, and no other, has its default."""
        return type(self).model_validate(self.model_dump(exclude=self.with_effect(*effects)))

    def leaves(self, name: str, *, exclude: set[str] | None = None) -> dict[str, Any]:
        """Return the value of every setting below this section, by its full name.

        Args:
            name: of this section, ``training``; its settings are then called ``training.lora.rank``.
            exclude: keys of this section to leave out, with all settings below them.
        """
        found: dict[str, Any] = {}
        for key in type(self).model_fields.keys() - (exclude or set()):
            value = getattr(self, key)
            found |= value.leaves(f"{name}.{key}") if isinstance(value, BaseConfig) else {f"{name}.{key}": value}
        return found


class DatasetConfig(BaseConfig):
    """Where the annotated images come from."""

    source: str = Field(
        "builtin:cards",
        min_length=1,
        description="Folder, .zip or .tar file, or URI (s3://, https://, ...) of the data set, or builtin:cards.",
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
        "builtin:nano",
        min_length=1,
        description="builtin:nano, builtin:small, a folder, or a hub id such as florence-community/Florence-2-base-ft.",
    )
    revision: str | None = Field(None, description="Branch, tag or commit of a hub id.")


class LoraConfig(BaseConfig):
    """Low-rank adapters (Hu et al., arXiv 2106.09685) on linear layers."""

    rank: int = Field(16, ge=1, le=4_096, description="Rank of the update matrices.")
    alpha: int = Field(32, ge=1, description="Scale of the update: alpha / rank; for rslora alpha / sqrt(rank).")
    dropout: float = Field(0.0, ge=0.0, lt=1.0, description="Dropout on the adapters' input.")
    variant: Literal["lora", "rslora", "dora"] = Field(
        "lora", description="lora, or rslora (arXiv 2312.03732), or dora (arXiv 2402.09353)."
    )
    targets: str = Field(
        "all",
        min_length=1,
        description="Layers with adapters: all, language, vision, or a regular expression for full module names.",
    )


class ObjectiveConfig(BaseConfig):
    """The answers to learn, and the weights of their tokens in the loss."""

    box_order: Literal["given", "left_to_right", "random"] = Field(
        "given", description="Order of the boxes in an answer to learn; random: a new one in each epoch."
    )
    eos_weight: float = Field(
        1.0, gt=0.0, le=1.0, description="Weight of the end token in the loss; with less the model finds more boxes."
    )
    location_smoothing: float = Field(
        0.0, ge=0.0, le=50.0, description="Standard deviation in bins over which the target of a location is spread."
    )


class AugmentationConfig(BaseConfig):
    """Random changes of the training images; each is applied only where it cannot make the answer wrong."""

    flip: Fraction = Field(0.0, description="Probability of a mirror image; its boxes are mirrored, too.")
    crop: Fraction = Field(0.0, description="Largest share of each side that is cut off; boxes are cut, too.")
    light: Fraction = Field(0.0, description="Largest relative change of brightness and of contrast.")


class EngineConfig(BaseConfig):
    """How fast a fine-tune runs and how often it is saved; the result does not depend on it."""

    loader_workers: int | None = Field(
        None, ge=0, le=256, description="Processes that decode images; empty: as many as there are cores to spare."
    )
    image_cache_gib: float = Field(
        4.0, ge=0.0, description="Disk for decoded images, kept between epochs and runs; 0: none are kept."
    )
    feature_cache_gib: float = Field(
        20.0,
        ge=0.0,
        description="Disk for the features of a frozen vision tower, kept between epochs and runs; 0: none.",
    )
    gradient_checkpointing: bool = Field(
        False, description="Compute activations twice instead of keeping them: less memory, more time."
    )
    processes: int = Field(0, ge=0, le=1024, description="Processes to train in; 0: one for each GPU, else one.")
    save_minutes: float = Field(
        5.0, ge=0.0, description="Least time between two saves from which a killed run can continue; 0: each step."
    )


class TrainingConfig(BaseConfig):
    """The fine-tune."""

    strategy: Literal["lora", "full", "freeze"] = Field(
        "lora", description="lora: adapters; full: every weight; freeze: every weight but those of the vision tower."
    )
    lora: LoraConfig = Field(default_factory=LoraConfig)
    objective: ObjectiveConfig = Field(default_factory=ObjectiveConfig)
    augmentation: AugmentationConfig = Field(default_factory=AugmentationConfig)
    engine: Annotated[EngineConfig, Effect.COURSE] = Field(default_factory=EngineConfig)
    epochs: int = Field(10, ge=1, le=100_000, description="Passes over the training split.")
    batch_size: int = Field(8, ge=1, le=65_536, description="Samples per step, over all GPUs together.")
    gradient_accumulation: int = Field(1, ge=1, description="Steps whose gradients are added up before an update.")
    learning_rate: float | None = Field(
        None, gt=0.0, description="Peak learning rate of AdamW; empty: a default for the base and the strategy."
    )
    warmup: float = Field(0.1, ge=0.0, lt=1.0, description="Share of the steps in which the learning rate increases.")
    schedule: Literal["cosine", "linear", "constant"] = Field("cosine", description="Learning rate after the warm-up.")
    weight_decay: float = Field(0.01, ge=0.0, description="Weight decay of AdamW.")
    max_grad_norm: float = Field(1.0, gt=0.0, description="Norm to which gradients are clipped.")
    max_target_tokens: int = Field(
        1024, ge=8, description="Most tokens of an answer in the data set; a longer one is an error."
    )
    group_by_length: bool = Field(
        False,
        description="Batches of answers of similar length: faster, but a batch no longer mixes tasks.",
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="Precision of the arithmetic; auto: bfloat16 on GPUs that have it, else float32."
    )
    best_by: str = Field(
        "loss",
        min_length=1,
        description="What the best epoch is chosen by, on the validation split: loss, or a score of the task such as "
        "map50, vqa_accuracy.",
    )
    preview: Annotated[int, Effect.COURSE] = Field(
        4, ge=0, le=64, description="Images drawn with the model's answers in each validation."
    )
    patience: int | None = Field(
        None, ge=1, description="Stop after this many epochs without a better one; empty: train all epochs."
    )
    seed: Seed = Field(0, description="Seed of sample order, dropout, augmentation and new weights.")


class EvaluationConfig(BaseConfig):
    """How answers are generated and evaluated."""

    eval_batch_size: Annotated[int, Effect.COURSE] = Field(
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
        description="Constraint on answers with boxes: off: none; boxes: names with four ordered locations; "
        "classes: as boxes, and for <OD> only names in classes, which the model must have learnt.",
    )
    classes: tuple[str, ...] = Field((), description="Class names for grammar: classes.")
    duplicate_iou: float = Field(
        0.9,
        gt=0.0,
        le=1.0,
        description="Boxes of a class in one answer that overlap more are merged into one; 1: all are kept.",
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
