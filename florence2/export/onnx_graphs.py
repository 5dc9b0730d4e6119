"""Florence-2 as three ONNX graphs, written by PyTorch's own exporter.

    vision_encoder.onnx   pixel_values (batch, 3, height, width) -> image_features (batch, image tokens, width)
    encoder.onnx          image_features, input_ids and attention_mask (batch, length)
                          -> cross_key_I, cross_value_I of each decoder layer (batch, heads, length, head size)
    decoder.onnx          input_ids (batch, 1), attention_mask, cross_*, past_key_I, past_value_I (batch, heads, past,
                          head size) -> logits (batch, 1, vocabulary), present_key_I, present_value_I

What the decoder reads of image and prompt is computed once, by the encoder. The first step has a past of length 0.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import DynamicCache, EncoderDecoderCache

from florence2.model import CACHE_ARGUMENT, Florence2

__all__ = ["DECODER", "ENCODER", "VISION", "write_graphs"]

VISION, ENCODER, DECODER = "vision_encoder.onnx", "encoder.onnx", "decoder.onnx"

_LENGTH, _PAST, _BATCH = 7, 3, 2
"""Sizes of the traced example. None is 0 or 1, which the exporter would treat as constants."""


class _Vision(nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.model.model.get_image_features(pixel_values).pooler_output
        return features


class _Encoder(nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, image_features: torch.Tensor, input_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        language = self.model.model.language_model
        words = self.model.get_input_embeddings()(input_ids)
        # A prompt begins with the tokens of its image.
        embedded = torch.cat([image_features, words[:, image_features.shape[1] :]], dim=1)
        hidden = language.encoder(attention_mask=attention_mask, inputs_embeds=embedded).last_hidden_state
        read = []
        for layer in language.decoder.layers:
            attention = layer.encoder_attn
            for projection in (attention.k_proj, attention.v_proj):
                split = projection(hidden).unflatten(-1, (attention.num_heads, attention.head_dim))
                read.append(split.transpose(1, 2))
        return tuple(read)


class _Decoder(nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        cross: list[torch.Tensor],
        past: list[torch.Tensor],
    ) -> tuple[torch.Tensor, ...]:
        language = self.model.model.language_model
        cache = EncoderDecoderCache(_cache(past), _cache(cross))
        for layer in range(len(language.decoder.layers)):
            cache.is_updated[layer] = True  # keys and values of the encoder are there, and are not computed again
        batch, _, length, _ = cross[0].shape
        output = language.decoder(
            input_ids=input_ids,
            encoder_hidden_states=cross[0].new_zeros(batch, length, language.config.d_model),  # only its shape is read
            encoder_attention_mask=attention_mask,
            **{CACHE_ARGUMENT: cache},
            use_cache=True,
        )
        layers: Any = cache.self_attention_cache.layers
        present = [tensor for layer in layers for tensor in (layer.keys, layer.values)]
        return (self.model.lm_head(output.last_hidden_state), *present)


def _cache(pairs: list[torch.Tensor]) -> DynamicCache:
    return DynamicCache(ddp_cache_data=list(zip(pairs[::2], pairs[1::2], strict=True)))


def write_graphs(florence2: Florence2, folder: Path) -> None:
    """Write the three graphs, with their weights in files next to them.

    Args:
        florence2: the model, in float32 on the CPU, its adapters merged.
        folder: to write to; it exists.

    Raises:
        OSError: the folder cannot be written.
    """
    model: Any = florence2.model.eval()
    text = model.config.text_config
    heads, layers = text.decoder_attention_heads, text.decoder_layers
    size = florence2.processor.image_processor.size
    sides = (size["height"], size["width"])
    pixels = torch.zeros(_BATCH, 3, *sides)
    with torch.no_grad():
        image_tokens = model.model.get_image_features(pixels).pooler_output.shape[1]
    length = image_tokens + _LENGTH
    ids = torch.full((_BATCH, length), text.eos_token_id)
    features = torch.zeros(_BATCH, image_tokens, text.d_model)
    cross, past = (
        [torch.zeros(_BATCH, heads, n, text.d_model // heads) for _ in range(2 * layers)] for n in (length, _PAST)
    )
    read, known, new = (
        [f"{kind}_{what}_{layer}" for layer in range(layers) for what in ("key", "value")]
        for kind in ("cross", "past", "present")
    )
    rows, words, before = (torch.export.Dim(name) for name in ("batch", "length", "past"))
    row, prompt = {0: rows}, {0: rows, 1: words}
    read_of, known_of = [{0: rows, 2: words}] * (2 * layers), [{0: rows, 2: before}] * (2 * layers)
    names = ["input_ids", "attention_mask", *read, *known]
    with _quiet():
        _write(_Vision(model), (pixels,), folder / VISION, ["pixel_values"], ["image_features"], (row,))
        given = ["image_features", "input_ids", "attention_mask"]
        _write(
            _Encoder(model), (features, ids, torch.ones_like(ids)), folder / ENCODER, given, read, (row, prompt, prompt)
        )
        example = (ids[:, :1], torch.ones_like(ids), cross, past)
        _write(_Decoder(model), example, folder / DECODER, names, ["logits", *new], (row, prompt, read_of, known_of))


def _write(
    module: nn.Module, example: tuple[Any, ...], file: Path, inputs: list[str], outputs: list[str], shapes: Any
) -> None:
    program = torch.onnx.export(
        module.eval(),
        example,
        dynamo=True,
        input_names=inputs,
        output_names=outputs,
        dynamic_shapes=shapes,
        verbose=False,
    )
    assert program is not None  # so it is with dynamo=True
    for node in program.model.graph.all_nodes():
        node.metadata_props.clear()  # the path of each line of code on this machine
    program.save(file, external_data=True)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter's own deprecations, and its warning that torchvision is absent."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
