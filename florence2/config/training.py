"""The section ``training`` and the sections in it."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from florence2.config.base import BaseConfig, Effect, Fraction, Seed

__all__ = [
    "AUTO_RATE",
    "NOT_BY_RECIPE",
    "AugmentationConfig",
    "EngineConfig",
    "LoraConfig",
    "ObjectiveConfig",
    "TrainingConfig",
]


AUTO_RATE: Final = "auto"
"""Value of ``learning_rate`` that requests a search."""

NOT_BY_RECIPE = frozenset({"engine", "epochs", "preview", "recipe", "seed"})
"""Settings of training that a recipe does not hold; it gives epochs by the samples that a training sees."""


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

    recipe: str = Field(
        "auto",
        min_length=1,
        description="Where the settings of training come from that are not given: auto, the recipe for the data and "
        "the base; the name of one, see florence2 recipes; a .yaml file of your own; none: the defaults.",
    )
    strategy: Literal["lora", "full", "freeze"] = Field(
        "lora", description="lora: adapters; full: every weight; freeze: every weight but those of the vision tower."
    )
    lora: LoraConfig = Field(default_factory=LoraConfig)
    objective: ObjectiveConfig = Field(default_factory=ObjectiveConfig)
    augmentation: AugmentationConfig = Field(default_factory=AugmentationConfig)
    engine: Annotated[EngineConfig, Effect.EXECUTION] = Field(default_factory=EngineConfig)
    epochs: int = Field(10, ge=1, le=100_000, description="Passes over the training split.")
    batch_size: int = Field(8, ge=1, le=65_536, description="Samples per step, over all GPUs together.")
    gradient_accumulation: int = Field(1, ge=1, description="Steps whose gradients are added up before an update.")
    learning_rate: Annotated[float, Field(gt=0.0)] | Literal["auto"] | None = Field(
        None,
        description="Peak learning rate of AdamW; empty: a default for the base and the strategy; auto: the best of "
        "some short trainings on your data.",
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
    preview: Annotated[int, Effect.EXECUTION] = Field(
        4, ge=0, le=64, description="Images drawn with the model's answers in each validation."
    )
    patience: int | None = Field(
        None, ge=1, description="Stop after this many epochs without a better one; empty: train all epochs."
    )
    seed: Seed = Field(0, description="Seed of sample order, dropout, augmentation and new weights.")
