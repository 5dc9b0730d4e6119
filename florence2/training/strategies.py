"""The three ways to fine-tune: which parts of a model train, and at what rate."""

from __future__ import annotations

from typing import Any

from florence2.config import TrainingConfig
from florence2.model import Florence2, FrozenVision, add_lora, freeze_vision

__all__ = ["default_learning_rate", "prepare_strategy", "trainable_parameters"]

_SMALL = 20_000_000
"""Parameters below which a model counts as small."""

_LEARNING_RATES = {"lora": (4e-3, 1e-4), "full": (1e-3, 1e-5), "freeze": (1e-3, 1e-5)}
"""For small models and for the others."""


def prepare_strategy(florence2: Florence2, training: TrainingConfig, token_ids: list[int]) -> Florence2:
    """Make exactly those parameters trainable that a strategy trains.

    Args:
        florence2: the base; changed in place.
        training: names the strategy.
        token_ids: rows of the token embedding that train with LoRA.

    Raises:
        ModelError: the pattern for LoRA's layers fits none.
    """
    if training.strategy == "lora":
        return add_lora(florence2, training.lora, token_ids)
    florence2.model.requires_grad_(True)
    if training.strategy == "freeze":
        freeze_vision(florence2)
    return florence2


def default_learning_rate(strategy: str, florence2: Florence2) -> float:
    """Return the peak learning rate that suits a strategy and a size of model.

    The built-in base is a hundred times smaller than Florence-2-base and learns best at a rate that would tear
    the big one apart.
    """
    small, large = _LEARNING_RATES[strategy]
    return small if florence2.model.num_parameters() < _SMALL else large


def trainable_parameters(model: Any) -> dict[str, tuple[int, int]]:
    """Count the parameters of each part.

    Returns:
        For ``vision``, ``projector``, ``language``: trainable and all parameters.
    """
    counts = {"vision": (0, 0), "projector": (0, 0), "language": (0, 0)}
    # A frozen tower is no part of what is saved, but it is one of the model.
    frozen = [module.tower for module in model.modules() if isinstance(module, FrozenVision)]
    parameters = [*model.named_parameters(), *(("vision_tower", p) for tower in frozen for p in tower.parameters())]
    for name, parameter in parameters:
        part = "vision" if "vision_tower" in name else "projector" if "multi_modal_projector" in name else "language"
        trainable, total = counts[part]
        size = parameter.numel()
        counts[part] = (trainable + (size if parameter.requires_grad else 0), total + size)
    return counts
