"""``PromotionConfig``: the conditions that a challenger must fulfil to become champion."""

from __future__ import annotations

from pydantic import Field

from florence2.config.base import BaseConfig, Fraction

__all__ = ["PromotionConfig"]


class PromotionConfig(BaseConfig):
    """Conditions that a challenger must fulfil to become champion.

    Three conditions cannot be turned off: it loads and answers in a new process, it was not trained on any test image,
    and it is better than the champion beyond chance.
    """

    primary: str = Field("map50", min_length=1, description="Score that decides: map50, vqa_accuracy, ...")
    minimum: float | None = Field(
        None, description="Value that the primary score must reach, or must not exceed if it counts errors; empty: any."
    )
    floor: bool = Field(
        True,
        description="The primary score must be better beyond chance than that of the base, and than that of the "
        "baseline: answers without seeing the image, chosen on the training split. Also for the first champion.",
    )
    improvement: float = Field(
        0.0, ge=0.0, description="The primary score must be better than the champion's by more than this."
    )
    confidence: float = Field(
        0.95, gt=0.5, lt=1.0, description="Share of the resamples of the test images in which that must hold."
    )
    class_score: str = Field(
        "ap50",
        min_length=1,
        description="Score by which single classes are compared: ap50, or json_field_f1 of JSON fields.",
    )
    class_floor: Fraction = Field(0.0, description="Value that this score must reach in every class.")
    class_regression: float = Field(
        0.05, ge=0.0, description="How much worse a class may become; a change that may be chance does not count."
    )
    valid_answers: Fraction = Field(
        0.99, description="Share of the answers that must be neither cut off nor malformed."
    )
    bad_rows: Fraction = Field(
        0.0, description="Share of the data set's samples that may have been left out as invalid."
    )
    same_test: bool = Field(
        True,
        description="The test split must be the one with which challenger and champion were registered; turn it off "
        "for one run after an intended change of the test split.",
    )
    seconds_per_image: float | None = Field(
        None, gt=0.0, description="Longest time for an answer, one image at a time; empty: any."
    )
    memory_gib: float | None = Field(
        None, gt=0.0, description="Most memory of the answering process, and of its GPU; empty: any."
    )
    serving_seconds: float = Field(
        300.0, gt=0.0, description="Time in which a new process must load the model and give its answers."
    )
