"""The architecture of the built-in bases and the starting weights that let models this small learn.

Plain Florence-2: only the sizes differ. At these widths the usual deviation of 0.02 leaves signals too weak, so
linear layers start with fan-in deviations; location rows start as a smooth function of the coordinate they mean.
"""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import (
    BartConfig,
    Florence2Config,
    Florence2ForConditionalGeneration,
    Florence2Processor,
    Florence2VisionConfig,
    GenerationConfig,
)

from florence2.codec.locations import BINS, location_token
from pretraining.sizes import Size

__all__ = ["build_model", "export_model", "first_location_id"]

_LONGEST_ANSWER = 512


def build_model(size: Size, processor: Any, seed: int) -> Florence2ForConditionalGeneration:
    """Build the model with its starting weights.

    Args:
        size: how large it is.
        processor: the processor it is made for; it gives the size of the vocabulary.
        seed: seed of the starting weights.
    """
    torch.manual_seed(seed)
    tokenizer = processor.tokenizer
    text = BartConfig(
        vocab_size=len(tokenizer),
        d_model=size.width,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=size.text_heads,
        decoder_attention_heads=size.text_heads,
        encoder_ffn_dim=4 * size.width,
        decoder_ffn_dim=4 * size.width,
        max_position_embeddings=size.positions,
        dropout=0.0,
        attention_dropout=0.0,
        activation_dropout=0.0,
        bos_token_id=tokenizer.bos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.eos_token_id,
        forced_eos_token_id=None,
    )
    config = Florence2Config(
        text_config=text,
        vision_config=_vision_config(size),
        image_token_id=tokenizer.image_token_id,
    )
    model = Florence2ForConditionalGeneration(config)
    _initialize(model, first_location_id(processor))
    return model


def export_model(model: Florence2ForConditionalGeneration, processor: Florence2Processor, folder: Path) -> None:
    """Write model (bf16) and processor so that plain ``from_pretrained`` loads them."""
    folder.mkdir(parents=True, exist_ok=True)
    half: Any = copy.deepcopy(model)
    half.to("cpu", torch.bfloat16)
    half.generation_config = GenerationConfig.from_model_config(model.config)
    half.generation_config.update(num_beams=1, max_new_tokens=_LONGEST_ANSWER, max_length=None)
    half.save_pretrained(folder)
    processor.save_pretrained(folder)


def first_location_id(processor: Florence2Processor) -> int:
    """Return the id of ``<loc_0>``; the other locations follow in order."""
    return int(processor.tokenizer.convert_tokens_to_ids(location_token(0)))


def _vision_config(size: Size) -> Florence2VisionConfig:
    return Florence2VisionConfig(
        depths=list(size.depths),
        patch_size=[7, 3, 3],
        patch_stride=list(size.strides),
        patch_padding=[3, 1, 1],
        patch_prenorm=[False, True, True],
        embed_dim=list(size.widths),
        num_heads=list(size.heads),
        num_groups=list(size.heads),
        window_size=size.window,
        drop_path_rate=0.0,
        projection_dim=size.width,
        max_temporal_embeddings=4,
        max_position_embeddings=max(size.grid, 8),
    )


@torch.no_grad()
def _initialize(model: Florence2ForConditionalGeneration, first_location: int) -> None:
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            if module is model.lm_head:
                continue
            fan_in = module.weight[0].numel()
            nn.init.normal_(module.weight, std=1.0 / math.sqrt(fan_in))
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    shared: Any = model.get_input_embeddings().weight
    width = shared.shape[1]
    nn.init.normal_(shared, std=1.0 / math.sqrt(width))
    shared[first_location : first_location + BINS] = _smooth_rows(BINS, width) / math.sqrt(width)
    language = model.model.language_model
    for part in (language.encoder, language.decoder):
        positions = part.embed_positions.weight
        positions.copy_(_sinusoids(*positions.shape) * 0.1)


def _smooth_rows(rows: int, width: int) -> torch.Tensor:
    """Return unit-variance rows (rows, width) in which neighbours are alike: random waves of the row's position."""
    position = torch.linspace(0.0, 1.0, rows)[:, None]
    frequency = torch.exp(torch.empty(width).uniform_(math.log(0.3), math.log(30.0)))
    phase = torch.empty(width).uniform_(0.0, 2 * math.pi)
    return math.sqrt(2.0) * torch.sin(2 * math.pi * frequency * position + phase)


def _sinusoids(rows: int, width: int) -> torch.Tensor:
    """Return the position table of Vaswani et al. (arXiv 1706.03762), section 3.5."""
    rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    angle = torch.arange(rows)[:, None] * rate
    return torch.stack([angle.sin(), angle.cos()], dim=-1).reshape(rows, width)
