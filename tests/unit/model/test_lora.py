"""LoRA adapts every linear layer it names, and refuses what it cannot adapt."""

from __future__ import annotations

import re

import pytest
import torch

from florence2.config import LoraConfig, ModelConfig
from florence2.errors import ModelError
from florence2.model.base import load_base
from florence2.model.florence import LORA_TARGETS, Florence2
from florence2.model.lora import add_lora


@pytest.fixture
def nano() -> Florence2:
    return load_base(ModelConfig(base="builtin:nano"))


def test_lora_reaches_every_linear_layer_of_both_towers_and_nothing_else(nano: Florence2) -> None:
    """A peer names ``o_proj`` where BART says ``out_proj``; bare ``fc1`` would be ambiguous."""
    modules = dict(nano.model.named_modules())
    linear = {name for name, module in modules.items() if isinstance(module, torch.nn.Linear)}
    fits = {part: {name for name in modules if re.fullmatch(pattern, name)} for part, pattern in LORA_TARGETS.items()}
    assert fits["all"] == linear - {"lm_head"}
    assert fits["language"] | fits["vision"] == fits["all"]
    assert not fits["language"] & fits["vision"]
    assert all("language_model" in name for name in fits["language"])


@pytest.mark.parametrize("variant", ["rslora", "dora"])
def test_variants_are_what_peft_makes_of_them(variant: str, nano: Florence2) -> None:
    adapted = add_lora(nano, LoraConfig.model_validate({"rank": 4, "alpha": 8, "variant": variant}), [])
    names = [name for name, _ in adapted.model.named_parameters()]
    layer = adapted.model.get_submodule("base_model.model.model.language_model.encoder.layers.0.fc1")
    assert any("lora_magnitude_vector" in name for name in names) == (variant == "dora")
    assert layer.scaling["default"] == pytest.approx(8 / 2 if variant == "rslora" else 8 / 4)  # type: ignore[index]


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ("o_proj", r"'o_proj' matches no layer of the base; give language, vision, all, or .* such as model\."),
        (".*(", r"'\.\*\(' is not a regular expression"),
        (".*encoder.layers.0.*", r"'.*' also matches .*, which is not a linear layer"),
    ],
)
def test_layers_that_cannot_be_adapted_are_refused(targets: str, message: str, nano: Florence2) -> None:
    with pytest.raises(ModelError, match=f"training.lora.targets: {message}"):
        add_lora(nano, LoraConfig(targets=targets), [])
