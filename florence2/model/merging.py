"""A PEFT adapter that was trained on Florence-2, in either layout, merged into its base.

The names in it become native ones by the same table as those of whole models. LoRA and its variants are merged by peft
itself; rows of the token embedding and whole layers that were trained replace those of the base.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from florence2.errors import ModelError
from florence2.model.adapter import Adapter
from florence2.model.florence import Florence2
from florence2.model.microsoft.keys import to_native
from florence2.model.quiet import quiet_transformers

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["merge_adapter"]

logger = logging.getLogger(__name__)

_HEAD = "lm_head"
_EMBEDDINGS = (f"{_HEAD}.weight", "model.language_model.shared.weight")
_LORA = re.compile(r"(.+?)\.(lora_(?:A|B|magnitude_vector|embedding_A|embedding_B)(?:\..+)?)")
_ROWS = ".token_adapter.trainable_tokens_delta"
_FRAME = "base_model.model."
"""How peft begins every name."""

_ROUNDING = 2.0**-7
"""How much a copy of a weight in half precision may differ from it, relatively."""


def merge_adapter(base: Florence2, adapter: Adapter) -> Florence2:
    """Merge an adapter into its base.

    Args:
        base: in float32 on the CPU; it is changed in place.
        adapter: trained on that base, in Microsoft's layout or in the native one.

    Raises:
        ModelError: it belongs to another base, or it has parts that have no equivalent.
    """
    from peft import set_peft_model_state_dict

    lora, whole = _sorted_weights(adapter, base.model)
    _set_whole(adapter, whole, base)
    if not lora:
        if whole:
            return base
        raise ModelError(f"{adapter.folder}: holds no trained layer; {_targets(adapter, [])}")
    _check_sizes(adapter, lora, base.model)
    _report(adapter, lora)
    if _HEAD in lora:
        _untie(base)
    try:
        with quiet_transformers():
            model: Any = _prepared(adapter, lora, base.model)
            tensors = {f"{_FRAME}{name}.{part}": t for name, parts in lora.items() for part, t in parts.values.items()}
            found: Any = set_peft_model_state_dict(model, tensors)
            merged = model.merge_and_unload()
    except (KeyError, RuntimeError, TypeError, ValueError) as exc:
        reason = " ".join(str(exc).split())[:200]
        raise ModelError(f"{adapter.folder}: peft cannot merge this adapter ({reason})") from exc
    lost = [*found.unexpected_keys, *(key for key in found.missing_keys if "lora_" in key)]
    if lost:
        raise ModelError(f"{adapter.folder}: {lost[0]} is missing or not known to peft; save the adapter again")
    return Florence2(merged, base.processor)


@dataclass(frozen=True)
class _Layer:
    """What an adapter has for one layer: its name where it was trained, and its tensors by the names of peft."""

    trained_as: str
    values: dict[str, Tensor]


def _sorted_weights(adapter: Adapter, model: Any) -> tuple[dict[str, _Layer], dict[str, tuple[str, Tensor]]]:
    """Return what LoRA has for each native layer, and the other tensors by native name with their own names."""
    modules = dict(model.named_modules())
    lora: dict[str, _Layer] = {}
    whole: dict[str, tuple[str, Tensor]] = {}
    for key, tensor in adapter.weights().items():
        name = key.removeprefix(_FRAME)
        match = _LORA.fullmatch(name)
        if match is None:
            plain = name.replace(".base_layer.", ".").replace(".modules_to_save.", ".")
            whole[to_native(plain) or plain] = (plain, tensor)
            continue
        layer = to_native(match[1]) or match[1]
        if layer not in modules:
            raise ModelError(
                f"{adapter.folder}: it adapts {match[1]}, and the base has no such layer; give the base on which it "
                "was trained"
            )
        if "embedding" in match[2]:
            raise ModelError(
                f"{adapter.folder}: it adapts the token embedding {match[1]} itself, which cannot be merged exactly; "
                "merge it where it was trained, and save the whole model"
            )
        lora.setdefault(layer, _Layer(match[1], {})).values[match[2]] = tensor
    return lora, whole


def _set_whole(adapter: Adapter, whole: Mapping[str, tuple[str, Tensor]], base: Florence2) -> None:
    """Give the base what was trained without low rank: rows of the embedding, biases, whole layers."""
    import torch

    state: dict[str, Tensor] = base.model.state_dict()
    image_token_id = int(base.processor.image_token_id)
    saved = adapter.settings.get("modules_to_save") or []
    trained = {name for name, (plain, _) in whole.items() if _matches(plain.rpartition(".")[0], saved)}
    if f"{_HEAD}.weight" in trained:
        _untie(base)
        state = base.model.state_dict()
    for name, (plain, tensor) in whole.items():
        rows = _token_rows(adapter) if plain.endswith(_ROWS) else None
        target = state.get(f"{name.removesuffix(_ROWS)}.weight" if rows is not None else name)
        is_bias = name.endswith(".bias") and adapter.settings.get("bias", "none") != "none"
        if name in _EMBEDDINGS and target is not None and image_token_id < len(tensor) != len(target):
            raise ModelError(
                f"{adapter.folder}: it was trained with tokens of its own, {len(tensor)} in all; merge it where it was "
                "trained, and save the whole model with its processor"
            )
        if target is None or target.shape[1:] != tensor.shape[1:] or len(target) < len(tensor):
            raise _other_base(adapter, f"{plain} does not fit it")
        with torch.no_grad():
            if rows is not None:
                target[rows] = tensor
            elif name in trained or is_bias:
                target[: len(tensor)] = tensor
            elif not torch.allclose(target[: len(tensor)], tensor, rtol=_ROUNDING, atol=1e-3):
                # peft saves the embedding next to an adapter of the output head.
                raise _other_base(adapter, f"its copy of {plain} is not that of the base")


def _token_rows(adapter: Adapter) -> list[int]:
    indices = adapter.settings.get("trainable_token_indices") or {}
    lists = list(indices.values()) if isinstance(indices, dict) else [indices]
    return [int(index) for index in lists[0]] if lists else []


def _other_base(adapter: Adapter, reason: str) -> ModelError:
    return ModelError(
        f"{adapter.folder}: the adapter belongs to another base: {reason}; give its own, by `florence2 import "
        f"{adapter.folder} FOLDER --base BASE`"
    )


def _untie(base: Florence2) -> None:
    """Give the output head a weight of its own: an adapter of it does not change the token embedding."""
    import torch

    model: Any = base.model
    if model.lm_head.weight is model.get_input_embeddings().weight:
        model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())
    model.config.tie_word_embeddings = False


def _check_sizes(adapter: Adapter, lora: Mapping[str, _Layer], model: Any) -> None:
    """Raise if an adapter of a linear layer has other sizes; that of the output head is padded as the layer is."""
    import torch

    modules = dict(model.named_modules())
    for name, layer in lora.items():
        module = modules[name]
        first, last = layer.values.get("lora_A.weight"), layer.values.get("lora_B.weight")
        if first is None or last is None:
            raise ModelError(f"{adapter.folder}: {layer.trained_as} has only one half of its adapter; save it again")
        if not isinstance(module, torch.nn.Linear):
            continue
        missing = module.out_features - len(last)
        if name == _HEAD and missing > 0:
            rows = last.mean(dim=0, keepdim=True).expand(missing, -1)
            layer.values["lora_B.weight"] = last = torch.cat([last, rows])
        if first.shape[1] != module.in_features or len(last) != module.out_features:
            raise _other_base(
                adapter,
                f"{layer.trained_as} has {first.shape[1]} inputs and {len(last)} outputs, and there "
                f"{module.in_features} and {module.out_features}",
            )


def _prepared(adapter: Adapter, lora: Mapping[str, _Layer], model: Any) -> Any:
    """Return the base with adapters of zero at the same layers, each with its rank and scale."""
    from peft import LoraConfig, get_peft_model

    settings = adapter.settings
    ranks = {re.escape(name): len(layer.values["lora_A.weight"]) for name, layer in lora.items()}
    scales = {re.escape(name): _scale(settings, layer.trained_as) for name, layer in lora.items()}
    kept = ("fan_in_fan_out", "lora_bias", "use_dora", "use_rslora")
    config = LoraConfig(
        target_modules="|".join(re.escape(name) for name in lora),
        rank_pattern=ranks,
        alpha_pattern=scales,
        **{name: settings[name] for name in kept if settings.get(name)},
    )
    return get_peft_model(model, config)


def _scale(settings: Mapping[str, Any], layer: str) -> float:
    """Return the alpha of a layer, by its name where it was trained."""
    patterns: dict[str, float] = settings.get("alpha_pattern") or {}
    found = next((alpha for name, alpha in patterns.items() if re.match(rf"(.*\.)?({name})$", layer)), None)
    return settings["lora_alpha"] if found is None else found


def _report(adapter: Adapter, lora: Mapping[str, _Layer]) -> None:
    """Say what of the targets had no effect, and what an adapter of the output head means."""
    if note := _targets(adapter, [layer.trained_as for layer in lora.values()]):
        logger.info("%s: %s", adapter.folder, note)
    if _HEAD in lora:
        logger.info(
            "%s: lm_head was adapted and the token embedding was not, so the output head becomes a weight of its own",
            adapter.folder,
        )


def _targets(adapter: Adapter, layers: Iterable[str]) -> str:
    """Return which targets match no adapted layer, in words; empty where all do."""
    targets = adapter.settings.get("target_modules") or []
    names = [targets] if isinstance(targets, str) else sorted(targets)
    layers = list(layers)
    idle = [] if isinstance(targets, str) and layers else [name for name in names if not _any_matches(layers, name)]
    if not idle:
        return ""
    return (
        f"the targets {', '.join(idle)} name no layer of Florence-2, so nothing was trained for them (Linear and "
        "Conv2d are kinds of layers; the output of an attention is called out_proj)"
    )


def _any_matches(layers: Iterable[str], target: str) -> bool:
    return any(_matches(layer, [target]) for layer in layers)


def _matches(layer: str, names: Iterable[str]) -> bool:
    return any(layer == name or layer.endswith(f".{name}") for name in names)
