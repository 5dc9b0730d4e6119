"""Evidence for promotions: a valid challenger that is better than the champion, and what a test changes of it."""

from __future__ import annotations

from typing import Any

from florence2.config import PromotionConfig
from florence2.evaluation.bootstrap import Comparison, Comparisons, Interval
from florence2.promotion.evidence import Evidence, Floor, MeasuredModel

__all__ = ["POLICY", "compared", "evidence", "measured"]

POLICY = PromotionConfig(minimum=0.5, class_floor=0.3, class_regression=0.1, seconds_per_image=1.0, memory_gib=2.0)


def measured(version: str, **values: Any) -> MeasuredModel:
    """Return a good model with some values changed."""
    good: dict[str, Any] = {
        "scores": {"map50": 0.8},
        "per_class": {"cat": {"ap50": 0.8}, "dog": {"ap50": 0.8}},
        "valid_answers": 1.0,
        "seconds_per_image": 0.1,
        "memory_gib": 1.0,
    }
    return MeasuredModel(version, **good | values)


def compared(low: float, high: float) -> Comparison:
    """Return a difference that lies between two values."""
    return Comparison((low + high) / 2, Interval(low, high, 0.9), 0.5)


def evidence(**values: Any) -> Evidence:
    """Return evidence for a promotion with some values changed."""
    good: dict[str, Any] = {
        "challenger": measured("2"),
        "champion": measured("1"),
        "comparison": Comparisons(
            {"map50": compared(0.05, 0.2)}, {"cat": {"ap50": compared(0.0, 0.2)}, "dog": {"ap50": compared(0.1, 0.2)}}
        ),
        "base": Floor({"map50": 0.1}, Comparisons({"map50": compared(0.6, 0.8)})),
        "baseline": Floor({"map50": 0.2}, Comparisons({"map50": compared(0.5, 0.7)})),
        "test_images": 40,
        "leaked_images": 0,
        "samples": 100,
    }
    return Evidence(**good | values)
