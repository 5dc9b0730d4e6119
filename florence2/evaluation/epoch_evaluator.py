"""The validation within a training: the scores of the tasks, and a preview of the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from florence2.codec import Task
from florence2.config import Effect, EvaluationConfig, TrainingConfig
from florence2.datasets import DatasetManifest
from florence2.errors import ConfigurationError
from florence2.evaluation.class_names import check_classes
from florence2.evaluation.evaluate import evaluate_split
from florence2.evaluation.examples import choose_examples
from florence2.evaluation.metrics.registry import METRICS, metrics_for
from florence2.evaluation.preview_grid import draw_preview_grid
from florence2.inference import Prediction, predict
from florence2.model import Florence2, Sample, samples_of

if TYPE_CHECKING:
    from florence2.training import PreviewSink

__all__ = ["EpochEvaluator"]


@dataclass(frozen=True)
class EpochEvaluator:
    """Evaluates a model during its training and draws some answers; see ``florence2.training.monitoring.Evaluator``.

    Attributes:
        valid: the rows of the validation split.
        evaluation: how answers are generated and evaluated.
        score: the score by which the best epoch is chosen; the trainer computes ``loss``, not this class.
        higher_is_better: whether a larger score is the better one.
        shown: number of samples drawn in each validation.
        measures: whether scores are computed; they always are where one of them chooses the epoch.
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
        """Return the evaluator that the settings require.

        Args:
            valid: the rows of the validation split.
            training: by which score the best epoch is chosen, and how many samples are drawn.
            evaluation: how answers are generated and evaluated.
            measures: compute the scores of the tasks also where the loss chooses the epoch.

        Raises:
            ConfigurationError: ``training.best_by`` is neither the loss nor a computed score of the split's tasks, or
                ``evaluation.classes`` has a misspelt class.
        """
        check_classes(valid, evaluation)
        name = training.best_by
        evaluator = cls(valid, evaluation, shown=training.preview, measures=measures or name != "loss")
        if name == "loss":
            return evaluator
        tasks = [valid.tasks[token] for token in sorted(valid.table["task"].unique())]
        metrics = dict.fromkeys(metric for task in tasks for metric in metrics_for(task, evaluation.metrics))
        known = {score.name: score for metric in metrics for score in metric.declared_scores()}
        if name not in known:
            raise ConfigurationError(f"training.best_by: {name!r} {_remedy(name, tasks, list(known), evaluation)}")
        return replace(evaluator, score=name, higher_is_better=known[name].higher_is_better)

    @property
    def identity(self) -> dict[str, str]:
        """Return the settings on which the choice of the epoch depends, by name."""
        if self.score == "loss":
            return {}
        decides_nothing = self.evaluation.with_effect(Effect.EXECUTION, Effect.REPORT)
        chosen = self.evaluation.model_dump(exclude=decides_nothing)
        return {f"evaluation.{name}": str(value) for name, value in chosen.items()}

    def __call__(self, florence2: Florence2, step: int, preview: PreviewSink | None) -> Mapping[str, float]:
        """Return the scores, none where they are not computed, and draw some answers.

        Args:
            florence2: the model; left in evaluation mode.
            step: number of optimizer steps so far.
            preview: receives a grid of images with answers.
        """
        rows = samples_of(self.valid)
        chosen = choose_examples([row.task.token for row in rows], self.shown) if preview is not None else []
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


def _remedy(score: str, tasks: Sequence[Task], known: Sequence[str], evaluation: EvaluationConfig) -> str:
    """Say what is wrong with a score that is not computed: its metric must be added, or it does not suit the tasks.

    ``best_by`` does not add the metric by itself: the evaluation after the training would not compute the score by
    which the epoch was chosen, and to name one metric leaves out the defaults.
    """
    for metric in METRICS.values():
        fitting = [task.token for task in tasks if task.answer in metric.answer_kinds]
        if fitting and score in (declared.name for declared in metric.declared_scores()):
            defaults = dict.fromkeys(default.name for task in tasks for default in metrics_for(task))
            names = [*(evaluation.metrics or defaults), metric.name]
            return f"of {', '.join(fitting)} is not computed; set evaluation.metrics: [{', '.join(names)}]"
    return f"is not a score of {', '.join(task.token for task in tasks)}; give {', '.join(['loss', *known])}"
