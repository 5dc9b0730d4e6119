"""An adapter of either layout is merged exactly, and what does not belong to the base is named."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig as PeftLoraConfig
from peft import get_peft_model
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn

from florence2.config import LoraConfig, ModelConfig
from florence2.errors import ModelError
from florence2.model.base import base_fingerprint, load_base, load_folder
from florence2.model.family import family_of
from florence2.model.florence import Florence2
from florence2.model.importing import import_model
from florence2.model.lora import add_lora
from florence2.model.microsoft.folder import write_published
from florence2.model.processing import encode_prompts
from tests.published import published_tensors, write_published_model

TARGETS = {
    "of the language model": {"target_modules": ["q_proj", "v_proj", "out_proj"]},
    "of both towers, with ranks of their own": {
        "target_modules": ["qkv", "fc1", "fc2", "k_proj"],
        "rank_pattern": {"fc2": 2},
        "alpha_pattern": {"spatial_block.ffn.fn.net.fc2": 31},
        "use_rslora": True,
    },
    "DoRA": {"target_modules": ["q_proj", "fc1"], "use_dora": True},
    "of convolutions": {"target_modules": ["proj"]},
    "with biases and a whole layer": {
        "target_modules": ["k_proj"],
        "bias": "lora_only",
        "modules_to_save": ["image_proj_norm"],
    },
}


def tree_of(weights: dict[str, torch.Tensor]) -> nn.Module:
    """Return a tree of modules with the names of Microsoft's layout; the output head is the token embedding."""
    root = nn.Module()
    for name, tensor in weights.items():
        *path, last = name.split(".")
        parent = root
        for part in path[:-1]:
            if part not in dict(parent.named_children()):
                parent.add_module(part, nn.Module())
            parent = parent.get_submodule(part)
        if last == "weight":
            parent.add_module(path[-1], _layer(path[-1], tensor.float(), weights.get(f"{'.'.join(path)}.bias")))
    head = nn.Linear(32, len(weights["language_model.model.shared.weight"]), bias=False)
    head.weight = root.get_parameter("language_model.model.shared.weight")
    root.get_submodule("language_model").add_module("lm_head", head)
    return root


def _layer(name: str, weight: torch.Tensor, bias: torch.Tensor | None) -> nn.Module:
    module: Any
    if name == "shared" or ("embed" in name and bias is None):
        module = nn.Embedding(*weight.shape)
    elif weight.dim() == 1:
        module = nn.LayerNorm(len(weight))
    elif weight.dim() == 4:
        groups = weight.shape[0] if weight.shape[1] == 1 else 1
        module = nn.Conv2d(weight.shape[1] * groups, len(weight), weight.shape[2], groups=groups)
    else:
        module = nn.Linear(weight.shape[1], weight.shape[0])
    module.weight = nn.Parameter(weight)
    if bias is not None:
        module.bias = nn.Parameter(bias.float())
    layer: nn.Module = module
    return layer


def adapted(folder: Path, base: str, **settings: Any) -> Any:
    """Write an adapter whose layers are not zero, trained on the tree, and return the model that has it."""
    torch.manual_seed(1)
    config = PeftLoraConfig(r=4, lora_alpha=8, init_lora_weights=False, **settings)
    model: Any = get_peft_model(tree_of(published_tensors()), config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad and "lora_" not in name:
                parameter.add_(torch.randn_like(parameter) / 8)
    model.save_pretrained(str(folder))
    edit(folder, base_model_name_or_path=base)
    if "lm_head" in settings["target_modules"]:  # peft saves the embedding, too, where it knows the kind of model
        file, shared = folder / "adapter_model.safetensors", published_tensors()["language_model.model.shared.weight"]
        copies = ("model.shared.weight", "lm_head.base_layer.weight")
        save_file(
            load_file(file) | {f"base_model.model.language_model.{name}": shared.clone() for name in copies}, file
        )
    return model


def edit(folder: Path, **changes: Any) -> None:
    file = folder / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def logits(florence2: Florence2) -> torch.Tensor:
    image = Image.effect_mandelbrot((50, 40), (-2, -1.5, 1, 1.5), 40).convert("RGB")
    inputs = encode_prompts(florence2.processor, [image], ["<OD>"])
    with torch.no_grad():
        found: torch.Tensor = florence2.model.eval()(**inputs, decoder_input_ids=torch.tensor([[2, 0, 300, 7]])).logits
    return found[..., :1285]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    weights = {name: tensor.float() for name, tensor in published_tensors().items()}
    return write_published_model(tmp_path / "base", weights=weights)


@pytest.mark.parametrize("targets", TARGETS.values(), ids=TARGETS)
def test_merging_after_the_conversion_gives_the_logits_of_merging_before(
    targets: dict[str, Any], base: Path, tmp_path: Path
) -> None:
    model = adapted(tmp_path / "adapter", str(base), **targets)
    merged = model.merge_and_unload().state_dict()
    weights = {name: merged.get(name, tensor.float()) for name, tensor in published_tensors().items()}
    expected = logits(load_folder(str(write_published_model(tmp_path / "merged", weights=weights))))
    found = logits(load_base(ModelConfig(base=str(tmp_path / "adapter"))))
    assert torch.allclose(found, expected, atol=1e-5, rtol=0)
    assert not torch.allclose(found, logits(load_folder(str(base))), atol=1e-3, rtol=0)


def test_an_adapter_of_the_output_head_leaves_the_embedding_as_it_was(
    base: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The targets of maestro and of the Hugging Face notebook."""
    caplog.set_level(logging.INFO, "florence2")
    names = ["q_proj", "o_proj", "k_proj", "v_proj", "linear", "Conv2d", "lm_head", "fc2"]
    model = adapted(tmp_path / "adapter", str(base), target_modules=names)
    head = model.base_model.model.language_model.lm_head
    delta = head.get_delta_weight("default").detach()
    merged = {name.replace(".base_layer", ""): tensor for name, tensor in model.state_dict().items()}
    found: Any = load_base(ModelConfig(base=str(tmp_path / "adapter")))
    assert "Conv2d, linear, o_proj name no layer of Florence-2" in caplog.text
    assert "lm_head was adapted and the token embedding was not" in caplog.text
    embedding = merged["base_model.model.language_model.model.shared.weight"]
    assert found.model.get_input_embeddings().weight[:1285].equal(embedding)
    assert torch.allclose(found.model.lm_head.weight[:1285], embedding + delta, atol=1e-6)
    saved = import_model(str(tmp_path / "adapter"), tmp_path / "native")
    assert logits(load_folder(str(saved))).equal(logits(found))
    (tmp_path / "published").mkdir()
    write_published(found, tmp_path / "published", "float32")
    again: Any = load_folder(str(tmp_path / "published")).model
    assert again.lm_head.weight.equal(found.model.lm_head.weight)
    assert again.get_input_embeddings().weight.equal(found.model.get_input_embeddings().weight)


def test_an_adapter_of_this_package_is_merged_with_its_rows_of_the_embedding(tmp_path: Path) -> None:
    ours = add_lora(load_base(ModelConfig(base="builtin:nano")), LoraConfig(), [500, 900])
    model: Any = ours.model
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) / 16)
    model.save_pretrained(str(tmp_path))
    expected = model.merge_and_unload().state_dict()
    found = load_base(ModelConfig(base=str(tmp_path))).model.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.allclose(found[name], expected[name], atol=1e-6) for name in found)


def test_an_adapter_is_a_base_with_a_fingerprint_of_both(base: Path, tmp_path: Path) -> None:
    adapted(tmp_path / "adapter", str(base), target_modules=["q_proj"])
    config = ModelConfig(base=str(tmp_path / "adapter"))
    before = base_fingerprint(config)
    assert family_of(config).name == "nano"
    (base / "generation_config.json").write_text("{}")
    assert base_fingerprint(config) != before


def test_another_base_is_named(base: Path, tmp_path: Path) -> None:
    adapter, other = tmp_path / "adapter", tmp_path / "other"
    adapted(adapter, "builtin:nano", target_modules=["q_proj"])
    with pytest.raises(ModelError, match=r"q_proj has 32 inputs and 32 outputs, and there 128 and 128; give its own"):
        load_base(ModelConfig(base=str(adapter)))
    assert import_model(str(adapter), tmp_path / "native", base=str(base)).is_dir()
    edit(adapter, base_model_name_or_path=str(tmp_path / "gone"))
    with pytest.raises(ModelError, match=r"the base of this adapter cannot be loaded: .*gone.* --base BASE"):
        load_base(ModelConfig(base=str(adapter)))
    adapted(other, str(base), target_modules=["lm_head"])
    write_published_model(base, weights={name: tensor / 2 for name, tensor in published_tensors().items()})
    with pytest.raises(ModelError, match=r"its copy of \S+ is not that of the base"):
        load_base(ModelConfig(base=str(other)))


def test_tokens_of_its_own_are_named(base: Path, tmp_path: Path) -> None:
    adapted(tmp_path / "adapter", str(base), target_modules=["lm_head"])
    file = tmp_path / "adapter" / "adapter_model.safetensors"
    tensors = load_file(file)
    name = "base_model.model.language_model.model.shared.weight"
    save_file(tensors | {name: torch.cat([tensors[name], tensors[name][:2]])}, file)
    with pytest.raises(ModelError, match=r"trained with tokens of its own, 1287 in all"):
        load_base(ModelConfig(base=str(tmp_path / "adapter")))


def test_what_cannot_be_merged_is_named(base: Path, tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    adapted(adapter, str(base), target_modules=["embed_tokens", "shared"])
    with pytest.raises(ModelError, match="it adapts the token embedding language_model"):
        load_base(ModelConfig(base=str(adapter)))
    with pytest.raises(ModelError, match="is no adapter, so it has no base"):
        import_model(str(base), tmp_path / "new", base="builtin:nano")
    assert not (tmp_path / "new").exists()
