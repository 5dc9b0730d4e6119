"""LoRA on Florence-2: which layers get adapters, and which rows of the token embedding train."""

from __future__ import annotations

import re
from typing import Any

from florence2.config import LoraConfig
from florence2.errors import ModelError
from florence2.model.florence import EMBEDDING, LORA_TARGETS, Florence2
from florence2.model.quiet import quiet_transformers

__all__ = ["add_lora"]


def add_lora(florence2: Florence2, config: LoraConfig, token_ids: list[int]) -> Florence2:
    """Freeze the model and add trainable low-rank adapters to it.

    Args:
        florence2: the base; its layers are replaced in place.
        config: rank, scale, dropout, variant and layers.
        token_ids: rows of the (tied) token embedding that train too: the words of the new classes.

    Returns:
        The adapted model with the same processor.

    Raises:
        ModelError: ``config.targets`` is not a regular expression, matches no layer, or one that is not linear.
    """
    from peft import LoraConfig as PeftLoraConfig
    from peft import get_peft_model

    adapters = PeftLoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        use_rslora=config.variant == "rslora",
        use_dora=config.variant == "dora",
        target_modules=_checked(config.targets, florence2.model),
        trainable_token_indices={EMBEDDING: sorted(token_ids)} if token_ids else None,
    )
    with quiet_transformers():
        model: Any = get_peft_model(florence2.model, adapters)
    return Florence2(model, florence2.processor)


def _checked(targets: str, model: Any) -> str:
    """Return the expression for the layers after checking that it matches linear layers of a model, and no others."""
    import torch

    pattern = LORA_TARGETS.get(targets, targets)
    try:
        matches = {name: module for name, module in model.named_modules() if re.fullmatch(pattern, name)}
    except re.error as exc:
        raise ModelError(f"training.lora.targets: {targets!r} is not a regular expression ({exc})") from exc
    linear = [name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)]
    if not matches:
        raise ModelError(
            f"training.lora.targets: {targets!r} matches no layer of the base; give {', '.join(LORA_TARGETS)}, or an "
            f"expression for full names such as {linear[0]}"
        )
    others = sorted(matches.keys() - linear)
    if others:
        raise ModelError(f"training.lora.targets: {targets!r} also matches {others[0]}, which is not a linear layer")
    return pattern
