"""The three strategies of a fine-tune: which parts of a model train, and at which rate."""

from __future__ import annotations

from typing import Any

from florence2.config import TrainingConfig
from florence2.model import (
    LEARNING_RATES,
    PARTS,
    SMALL_PARAMETERS,
    Florence2,
    FrozenVision,
    add_lora,
    freeze_vision,
    part_of,
)

__all__ = ["default_learning_rate", "learning_rate_of", "prepare_strategy", "trainable_parameters"]


def prepare_strategy(florence2: Florence2, training: TrainingConfig, token_ids: list[int]) -> Florence2:
    """Make the parameters of a strategy trainable, and all others not.

    Args:
        florence2: the base; changed in place.
        training: names the strategy.
        token_ids: rows of the token embedding that train with LoRA.

    Raises:
        ModelError: the pattern for LoRA's layers matches none.
    """
    if training.strategy == "lora":
        return add_lora(florence2, training.lora, token_ids)
    florence2.model.requires_grad_(True)
    if training.strategy == "freeze":
        freeze_vision(florence2)
    return florence2


def default_learning_rate(strategy: str, florence2: Florence2) -> float:
    """Return the peak learning rate that suits a strategy and a size of model."""
    small, large = LEARNING_RATES[strategy]
    return small if florence2.model.num_parameters() < SMALL_PARAMETERS else large


def learning_rate_of(training: TrainingConfig, florence2: Florence2) -> float:
    """Return the peak learning rate of a training: the given number, else the default of its strategy."""
    given = training.learning_rate
    return given if isinstance(given, float) else default_learning_rate(training.strategy, florence2)


def trainable_parameters(model: Any) -> dict[str, tuple[int, int]]:
    """Count the parameters of each part.

    Returns:
        For each of ``PARTS``: trainable and all parameters.
    """
    counts = dict.fromkeys(PARTS, (0, 0))
    # A frozen tower is not saved with the model, but it belongs to it.
    frozen = [module.tower for module in model.modules() if isinstance(module, FrozenVision)]
    parameters = [*model.named_parameters(), *((PARTS["vision"], p) for tower in frozen for p in tower.parameters())]
    for name, parameter in parameters:
        part = part_of(name)
        trainable, total = counts[part]
        size = parameter.numel()
        counts[part] = (trainable + (size if parameter.requires_grad else 0), total + size)
    return counts
