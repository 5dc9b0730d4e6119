"""The validation within a training: the scores of the task, and images of what the model answers by now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from florence2.codec import TASKS
from florence2.config import Effect, EvaluationConfig, TrainingConfig
from florence2.datasets import DatasetManifest
from florence2.errors import ConfigurationError
from florence2.evaluation.class_names import check_classes
from florence2.evaluation.evaluate import evaluate_split
from florence2.evaluation.examples import choose_examples
from florence2.evaluation.metrics.registry import metrics_for
from florence2.evaluation.preview_grid import draw_preview_grid
from florence2.inference import Prediction, predict
from florence2.model import Florence2, Sample, samples_of

if TYPE_CHECKING:
    from florence2.training import PreviewSink

__all__ = ["EpochEvaluator"]


@dataclass(frozen=True)
class EpochEvaluator:
    """Measures and shows a model in the middle of its training; see ``florence2.training.monitoring.Evaluator``.

    Attributes:
        valid: the rows of the validation split.
        evaluation: how answers are generated and judged.
        score: the score by which the best epoch is chosen; ``loss`` is measured by the trainer, not here.
        higher_is_better: whether a larger score is the better one.
        shown: images drawn in each validation.
        measures: whether scores are measured; they always are where one of them chooses the epoch.
    """

    valid: DatasetManifest
    evaluation: EvaluationConfig
    score: str = "loss"
    higher_is_better: bool = False
    shown: int = 0
    measures: bool = False

    @classmethod
    def of(
        cls, valid: DatasetManifest, training: TrainingConfig, evaluation: EvaluationConfig, *, measures: bool = False
    ) -> EpochEvaluator:
        """Return the judge that a recipe asks for.

        Args:
            valid: the rows of the validation split.
            training: the recipe.
            evaluation: how answers are generated and judged.
            measures: measure the scores of the tasks also where the loss chooses the epoch.

        Raises:
            ConfigurationError: ``training.best_by`` is neither the loss nor a metric of the split's tasks, or
                ``evaluation.classes`` has a misspelt class.
        """
        check_classes(valid, evaluation)
        name = training.best_by
        judge = cls(valid, evaluation, shown=training.preview, measures=measures or name != "loss")
        if name == "loss":
            return judge
        tasks = [TASKS[token] for token in sorted(valid.table["task"].unique())]
        metrics = dict.fromkeys(metric for task in tasks for metric in metrics_for(task, evaluation.metrics))
        known = {score.name: score for metric in metrics for score in metric.declared_scores()}
        if name not in known:
            raise ConfigurationError(
                f"training.best_by: {name!r} does not judge {', '.join(task.token for task in tasks)}; "
                f"give {', '.join(['loss', *known])}"
            )
        return replace(judge, score=name, higher_is_better=known[name].higher_is_better)

    @property
    def identity(self) -> dict[str, str]:
        """Return the settings that the choice of the epoch depends on, by name."""
        if self.score == "loss":
            return {}
        decides_nothing = self.evaluation.with_effect(Effect.COURSE, Effect.REPORT)
        chosen = self.evaluation.model_dump(exclude=decides_nothing)
        return {f"evaluation.{name}": str(value) for name, value in chosen.items()}

    def __call__(self, florence2: Florence2, step: int, preview: PreviewSink | None) -> Mapping[str, float]:
        """Return the scores, none where they are not measured, and show some answers.

        Args:
            florence2: the model; left in evaluation mode.
            step: optimizer steps that it has trained.
            preview: receives a grid of images with its answers.
        """
        rows = samples_of(self.valid)
        chosen = choose_examples([row.prefix for row in rows], self.shown) if preview is not None else []
        if not self.measures:
            samples: Sequence[Sample] = [rows[index] for index in chosen]
            predictions: Sequence[Prediction] = list(predict(florence2, samples, self.evaluation))
            scores: Mapping[str, float] = {}
        else:
            evaluated = evaluate_split(florence2, "training", self.valid, self.evaluation)
            samples = [evaluated.samples[index].sample for index in chosen]
            predictions = [evaluated.samples[index].prediction for index in chosen]
            scores = evaluated.evaluation.metrics
        if preview is not None and samples:
            preview(draw_preview_grid(samples, predictions), step)
        return scores
