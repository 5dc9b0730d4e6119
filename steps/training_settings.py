"""``TrainingSettings``: what the step ``choose_recipe`` gives to the fine-tune.

It is a module of its own, so that the code of the choice is not part of the cache key of the fine-tune.
"""

from __future__ import annotations

from florence2.config import BaseConfig, EvaluationConfig, TrainingConfig

__all__ = ["TrainingSettings"]


class TrainingSettings(BaseConfig):
    """Everything that the result of a training depends on, besides its data and its base.

    Attributes:
        training: the recipe.
        evaluation: how answers are generated and evaluated; None where the loss chooses the best epoch.
        evaluator_code: hash of the code that evaluates them; empty where the loss chooses.
    """

    training: TrainingConfig
    evaluation: EvaluationConfig | None
    evaluator_code: str
