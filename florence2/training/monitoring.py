"""Monitoring of a running training: sinks of its metrics and previews, and the evaluator of its epochs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from PIL import Image

if TYPE_CHECKING:
    from florence2.model import Florence2

__all__ = ["Evaluator", "MetricSink", "Monitoring", "PreviewSink"]

MetricSink = Callable[[Mapping[str, float], int], None]
"""Receives metrics by name and the optimizer step at which they were computed, while the training runs."""

PreviewSink = Callable[[Image.Image, int], None]
"""Receives images with the model's answers, and the number of optimizer steps so far."""


class Evaluator(Protocol):
    """Evaluates a model on the validation split during its training.

    Attributes:
        score: the metric by which the best epoch is chosen, or ``loss``.
        higher_is_better: whether a larger value of it is better.
    """

    @property
    def score(self) -> str: ...  # noqa: D102
    @property
    def higher_is_better(self) -> bool: ...  # noqa: D102

    def __call__(self, florence2: Florence2, step: int, preview: PreviewSink | None) -> Mapping[str, float]:
        """Return the metrics by name of a model after some steps, and send a preview of its answers."""


@dataclass(frozen=True, kw_only=True)
class Monitoring:
    """What receives and evaluates a training while it runs.

    Attributes:
        sink: receives the losses, the metrics and the pace.
        preview: receives the images that the evaluator draws.
        evaluator: computes the score of ``training.best_by``; needed unless that is the loss.
        evaluate_base: evaluate the validation split before the first step too; the sink receives it as step 0.
        floors: the score of ``training.best_by`` that the best epoch so far must have reached, by number of the epoch;
            a training that has not ends there. Not with ``evaluate_base``, whose validation would count as an epoch.
    """

    sink: MetricSink | None = None
    preview: PreviewSink | None = None
    evaluator: Evaluator | None = None
    evaluate_base: bool = False
    floors: Mapping[int, float] = field(default_factory=dict)
