"""A model of the shape of Florence-2-base with random weights, and photographs to train it on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import Florence2Config, Florence2ForConditionalGeneration

from florence2.config import ModelConfig
from florence2.model.base import load_base

__all__ = ["save_base_shape", "write_photographs"]

_SIDE = 768
_IMAGE_TOKENS = 577
_VISION = {
    "embed_dim": [128, 256, 512, 1024],
    "num_heads": [4, 8, 16, 32],
    "num_groups": [4, 8, 16, 32],
    "depths": [1, 1, 9, 1],
    "patch_size": [7, 3, 3, 3],
    "patch_stride": [4, 2, 2, 2],
    "patch_padding": [3, 1, 1, 1],
    "patch_prenorm": [False, True, True, True],
    "window_size": 12,
    "projection_dim": 768,
}
_TEXT = {
    "d_model": 768,
    "encoder_layers": 6,
    "decoder_layers": 6,
    "encoder_attention_heads": 12,
    "decoder_attention_heads": 12,
    "encoder_ffn_dim": 3072,
    "decoder_ffn_dim": 3072,
    "vocab_size": 51289,
    "max_position_embeddings": 1024,
}


def save_base_shape(folder: Path, vision: dict[str, Any] | None = None, text: dict[str, Any] | None = None) -> Path:
    """Save a model that the engine can load, with the processor of the built-in one set to 768 pixels.

    Args:
        folder: made if absent.
        vision: changes to the vision tower of Florence-2-base.
        text: changes to its language model.
    """
    nano = load_base(ModelConfig(base="builtin:nano"))
    config: Any = Florence2Config.from_dict(nano.model.config.to_dict())
    for part, values in ((config.vision_config, _VISION | (vision or {})), (config.text_config, _TEXT | (text or {}))):
        for name, value in values.items():
            setattr(part, name, value)
    config.vision_config.max_position_embeddings = 50
    torch.manual_seed(0)
    model: Any = Florence2ForConditionalGeneration(config)
    model.save_pretrained(folder)
    processor: Any = nano.processor
    processor.image_processor.size = {"height": _SIDE, "width": _SIDE}
    # The processor reads the number of image tokens from its image processor when it is loaded.
    processor.image_processor.image_seq_length = _IMAGE_TOKENS
    processor.image_seq_length = processor.num_image_tokens = _IMAGE_TOKENS
    processor.save_pretrained(folder)
    return folder


def write_photographs(folder: Path, train: int, valid: int, boxes: int) -> Path:
    """Write a detection set of JPEG files of 640 x 480 pixels.

    Args:
        folder: made if absent.
        train: images in the training split.
        valid: images in the validation split.
        boxes: in each image.
    """
    random = np.random.default_rng(0)
    for split, count in {"train": train, "valid": valid}.items():
        (folder / split).mkdir(parents=True)
        lines = []
        for index in range(count):
            pixels = random.integers(0, 255, (12, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).resize((640, 480)).save(folder / split / f"{index}.jpg")
            corners = np.sort(random.integers(0, 999, (boxes, 2, 2)), axis=1).reshape(boxes, 4)
            answer = "".join("cell" + "".join(f"<loc_{value}>" for value in box) for box in corners)
            lines.append(json.dumps({"image": f"{index}.jpg", "prefix": "<OD>", "suffix": answer}))
        (folder / split / "annotations.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
