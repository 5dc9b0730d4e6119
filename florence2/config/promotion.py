"""``PromotionConfig``: what a challenger must show before it becomes champion."""

from __future__ import annotations

from pydantic import Field

from florence2.config.sections import BaseConfig, Fraction

__all__ = ["PromotionConfig"]


class PromotionConfig(BaseConfig):
    """What a challenger must show before it becomes champion.

    That it loads and answers in a fresh process, that none of the test images was among those it was trained on,
    and that it is better than the champion beyond chance, is always asked for.
    """

    primary: str = Field("map50", min_length=1, description="Score that decides: map50, vqa_accuracy, ...")
    minimum: float | None = Field(
        None, description="Value that the primary score must reach, or, if it counts errors, not pass; empty: any."
    )
    improvement: float = Field(
        0.0, ge=0.0, description="By how much more than this the primary score must be better than the champion's."
    )
    confidence: float = Field(
        0.95, gt=0.5, lt=1.0, description="Share of the resamples of the test images in which it must be so."
    )
    class_score: str = Field("ap50", min_length=1, description="Score by which single classes are judged.")
    class_floor: Fraction = Field(0.0, description="Value that this score must reach in every class.")
    class_regression: float = Field(
        0.05, ge=0.0, description="By how much it may be worse in a class; a change that may be chance is let pass."
    )
    valid_answers: Fraction = Field(0.99, description="Share of the answers that must be neither cut nor malformed.")
    bad_rows: Fraction = Field(0.0, description="Share of the data set's rows that may have been left out as invalid.")
    same_test: bool = Field(
        True,
        description="The test split must be the one with which challenger and champion were registered; turn it off "
        "for one run after you have changed the test split on purpose.",
    )
    seconds_per_image: float | None = Field(
        None, gt=0.0, description="Longest time for one answer, one image at a time; empty: any."
    )
    memory_gib: float | None = Field(
        None, gt=0.0, description="Greatest memory of the process that answers, and of its GPU; empty: any."
    )
    serving_seconds: float = Field(
        300.0, gt=0.0, description="Time in which a fresh process must have loaded the model and given its answers."
    )
