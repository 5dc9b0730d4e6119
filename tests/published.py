"""A tiny model in Microsoft's layout with random weights, under names that are written here by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

__all__ = ["CONFIG", "WORDS", "embedding_copies", "published_tensors", "write_published_model"]

WORDS = 261
"""Tokens of the tokenizer without those that Microsoft's processor adds: four, 256 bytes and ``<mask>``."""

CONFIG: dict[str, Any] = {
    "architectures": ["Florence2ForConditionalGeneration"],
    "model_type": "florence2",
    "projection_dim": 32,
    "text_config": {
        "model_type": "florence2_language",
        "vocab_size": WORDS + 1024,
        "d_model": 32,
        "encoder_layers": 1,
        "decoder_layers": 1,
        "encoder_ffn_dim": 48,
        "decoder_ffn_dim": 48,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
        "max_position_embeddings": 128,
    },
    "torch_dtype": "float16",
    "vision_config": {
        "model_type": "davit",
        "depths": [1, 2],
        "dim_embed": [8, 16],
        "num_groups": [2, 2],
        "num_heads": [2, 2],
        "patch_padding": [3, 1],
        "patch_prenorm": [False, True],
        "patch_size": [7, 3],
        "patch_stride": [4, 2],
        "window_size": 3,
        "projection_dim": 32,
        "visual_temporal_embedding": {"type": "COSINE", "max_temporal_embeddings": 5},
        "image_pos_embed": {"type": "learned_abs_2d", "max_pos_embeddings": 6},
    },
    "vocab_size": WORDS + 1024,
}

_IMAGES = {
    "do_center_crop": False,
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.485, 0.456, 0.406],
    "image_processor_type": "CLIPImageProcessor",
    "image_seq_length": 17,
    "image_std": [0.229, 0.224, 0.225],
    "resample": 3,
    "size": {"height": 32, "width": 32},
}


def write_published_model(
    folder: Path,
    *,
    weights: Mapping[str, torch.Tensor] | None = None,
    config: Mapping[str, Any] | None = None,
    own_tokens: tuple[str, ...] = (),
    pickled: bool = False,
) -> Path:
    """Write the model as Microsoft publishes it and return its folder.

    Args:
        folder: made if it is missing.
        weights: None: ``published_tensors``.
        config: content of config.json.
        own_tokens: added to the tokenizer before Microsoft's.
        pickled: write pytorch_model.bin, not safetensors.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = dict(weights or published_tensors())
    if pickled:
        torch.save(tensors, folder / "pytorch_model.bin")
    else:
        save_file({name: tensor.clone() for name, tensor in tensors.items()}, folder / "model.safetensors")
    contents = {
        "config.json": config or CONFIG,
        "preprocessor_config.json": _IMAGES,
        "tokenizer.json": _tokenizer(own_tokens),
        "tokenizer_config.json": {"model_max_length": 128},
    }
    for name, content in contents.items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return folder


def published_tensors(rows: int = WORDS + 1024) -> dict[str, torch.Tensor]:
    """Return random weights of the model in float16, the token embedding once."""
    torch.manual_seed(0)
    return {name: (torch.randn(shape) / 4).half() for name, shape in _shapes(rows).items()} | {
        "language_model.final_logits_bias": torch.zeros((1, rows), dtype=torch.float16)
    }


def embedding_copies(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return weights with the copies of the token embedding that pickles of Microsoft hold."""
    shared = weights["language_model.model.shared.weight"]
    names = ("model.encoder.embed_tokens", "model.decoder.embed_tokens", "lm_head")
    return dict(weights) | {f"language_model.{name}.weight": shared for name in names}


def _shapes(rows: int) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        "image_projection": (16, 32),
        "language_model.model.shared.weight": (rows, 32),
    }
    layers: dict[str, tuple[int, ...]] = {"image_proj_norm": (32,)}
    for stage, (before, width, kernel, depth) in enumerate([(3, 8, 7, 1), (8, 16, 3, 2)]):
        layers[f"vision_tower.convs.{stage}.proj"] = (width, before, kernel, kernel)
        layers[f"vision_tower.convs.{stage}.norm"] = (width if stage == 0 else before,)
        for number in range(depth):
            for block, attention in (("spatial_block", "window_attn"), ("channel_block", "channel_attn")):
                stem = f"vision_tower.blocks.{stage}.{number}.{block}"
                layers |= {f"{stem}.{conv}.fn.dw": (width, 1, 3, 3) for conv in ("conv1", "conv2")}
                layers |= {f"{stem}.{attention}.norm": (width,), f"{stem}.ffn.norm": (width,)}
                layers |= {
                    f"{stem}.{attention}.fn.qkv": (3 * width, width),
                    f"{stem}.{attention}.fn.proj": (width, width),
                }
                layers |= {f"{stem}.ffn.fn.net.fc1": (4 * width, width), f"{stem}.ffn.fn.net.fc2": (width, 4 * width)}
    for half, attentions in (("encoder", ("self_attn",)), ("decoder", ("self_attn", "encoder_attn"))):
        stem = f"language_model.model.{half}"
        shapes[f"{stem}.embed_positions.weight"] = (130, 32)
        layers[f"{stem}.layernorm_embedding"] = (32,)
        for attention in attentions:
            layers |= {f"{stem}.layers.0.{attention}.{x}_proj": (32, 32) for x in ("q", "k", "v", "out")}
            layers[f"{stem}.layers.0.{attention}_layer_norm"] = (32,)
        layers |= {f"{stem}.layers.0.fc1": (48, 32), f"{stem}.layers.0.fc2": (32, 48)}
        layers[f"{stem}.layers.0.final_layer_norm"] = (32,)
    for name, shape in layers.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return shapes | {
        "image_pos_embed.row_embeddings.weight": (6, 8),
        "image_pos_embed.column_embeddings.weight": (6, 8),
        "visual_temporal_embed.pos_idx_to_embed": (5, 16),
    }


def _tokenizer(own: tuple[str, ...]) -> dict[str, Any]:
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    texts = ["<s>", "<pad>", "</s>", "<unk>", *bytes_to_unicode().values(), "<mask>"]
    vocabulary = {text: index for index, text in enumerate(texts)}
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    added = [{"id": vocabulary[text], "content": text, **flags, "special": True} for text in (*texts[:4], "<mask>")]
    added += [{"id": WORDS + i, "content": text, **flags, "special": True} for i, text in enumerate(own)]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "post_processor": {
            "type": "RobertaProcessing",
            "sep": ["</s>", 2],
            "cls": ["<s>", 0],
            "trim_offsets": True,
            "add_prefix_space": False,
        },
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": vocabulary,
            "merges": [],
        },
    }
