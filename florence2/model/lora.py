"""LoRA on Florence-2: which layers, and which rows of the vocabulary.

``fc1``, ``fc2`` and ``proj`` are names in both towers, so targets are given as one anchored expression
over full module paths rather than as bare names. BART calls its attention output ``out_proj``.
"""

from __future__ import annotations

from typing import Any

from florence2.config import LoraConfig
from florence2.model.base import Florence2
from florence2.model.quiet import quiet_transformers

__all__ = ["TARGETS", "add_lora", "trainable_parameters"]

TARGETS = (
    r".*(language_model\.(encoder|decoder)\.layers\..*\.(q_proj|k_proj|v_proj|out_proj|fc1|fc2)"
    r"|vision_tower\.blocks\..*\.(qkv|proj|fc1|fc2)"
    r"|multi_modal_projector\.image_projection)"
)
"""All linear layers of the language model, the vision tower and the projector between them."""


def add_lora(florence2: Florence2, config: LoraConfig, token_ids: list[int]) -> Florence2:
    """Freeze the model and add trainable low-rank adapters to it.

    Args:
        florence2: the base; its layers are replaced in place.
        config: rank, scale and dropout.
        token_ids: rows of the (tied) token embedding that are trained too: the words of the new classes.

    Returns:
        The adapted model with the same processor.
    """
    from peft import LoraConfig as PeftLoraConfig
    from peft import get_peft_model

    adapters = PeftLoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=TARGETS,
        trainable_token_indices={"shared": sorted(token_ids)} if token_ids else None,
    )
    with quiet_transformers():
        model: Any = get_peft_model(florence2.model, adapters)
    return Florence2(model, florence2.processor)


def trainable_parameters(model: Any) -> dict[str, tuple[int, int]]:
    """Count the parameters of each part.

    Returns:
        For ``vision``, ``projector``, ``language``: trainable and all parameters.
    """
    counts = {"vision": (0, 0), "projector": (0, 0), "language": (0, 0)}
    for name, parameter in model.named_parameters():
        part = "vision" if "vision_tower" in name else "projector" if "multi_modal_projector" in name else "language"
        trainable, total = counts[part]
        size = parameter.numel()
        counts[part] = (trainable + (size if parameter.requires_grad else 0), total + size)
    return counts
