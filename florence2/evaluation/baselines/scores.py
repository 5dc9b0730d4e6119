"""``BaselineScores``: the scores of the baseline next to those of a model, and how sure their difference is."""

from __future__ import annotations

from dataclasses import dataclass, field

from florence2.evaluation.bootstrap import Comparison

__all__ = ["BaselineScores"]


@dataclass(frozen=True)
class BaselineScores:
    """What the best answers without seeing the image score on the samples of a model.

    Attributes:
        metrics: scores by name.
        comparison: the model compared with the baseline on the same images, by score; a difference is the score of the
            model minus that of the baseline.
    """

    metrics: dict[str, float] = field(default_factory=dict)
    comparison: dict[str, Comparison] = field(default_factory=dict)
