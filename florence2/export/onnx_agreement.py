"""Whether ONNX graphs give the same answers as the model from which they were exported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from florence2.builtin import draw_shapes
from florence2.export.onnx_graphs import DECODER, ENCODER, VISION
from florence2.model import Florence2, encode_prompts

__all__ = ["TOLERANCE", "Agreement", "measure_agreement"]

TOLERANCE = 1e-3
"""Greatest difference of a logit that is accepted."""

_PROMPTS = (
    "<OD>",
    "<VQA>What is in the image?",
    "<CAPTION_TO_PHRASE_GROUNDING>a red star, a blue square and something that is not there",
    "<CAPTION>",
    "<OCR>",
)
_BATCHES = (1, 2, len(_PROMPTS))
_STEPS = 32
"""Number of tokens of an answer that are compared."""


@dataclass(frozen=True)
class Agreement:
    """How much graphs and model differ.

    Attributes:
        difference: greatest difference of a logit.
        answers: number of answers that were compared.
        same_tokens: whether every greedy token is that of the model, or one whose logit is equal within ``TOLERANCE``.
    """

    difference: float
    answers: int
    same_tokens: bool

    @property
    def good(self) -> bool:
        """Return whether the graphs can replace the model."""
        return self.difference <= TOLERANCE and self.same_tokens


def measure_agreement(florence2: Florence2, folder: Path) -> Agreement:
    """Compare the answers of model and graphs to prompts of different lengths about different images, also in batches.

    Args:
        florence2: the model, in float32 on the CPU.
        folder: that holds the graphs.
    """
    rng = np.random.default_rng(0)
    size = florence2.processor.image_processor.size
    scenes = [draw_shapes(rng, 64, 1 + index % 3).image for index in range(len(_PROMPTS))]
    images = [scene.resize((size["width"], size["height"])) for scene in scenes]
    images[1] = Image.fromarray(rng.integers(0, 256, (size["height"], size["width"], 3), dtype=np.uint8))
    found = [_compare(florence2, folder, images[:count], _PROMPTS[:count]) for count in _BATCHES]
    return Agreement(
        difference=max(difference for difference, _ in found),
        answers=sum(_BATCHES),
        same_tokens=all(same for _, same in found),
    )


def _compare(
    florence2: Florence2, folder: Path, images: Sequence[Image.Image], prompts: Sequence[str]
) -> tuple[float, bool]:
    inputs = encode_prompts(florence2.processor, images, prompts)
    tokens, logits = _greedy(florence2, folder, {name: tensor.numpy() for name, tensor in inputs.items()})
    model: Any = florence2.model.eval()
    with torch.no_grad():
        right = model(**inputs, decoder_input_ids=torch.from_numpy(tokens[:, :-1]), use_cache=False).logits.numpy()
    chosen = np.take_along_axis(right, tokens[:, 1:, None], axis=2)[..., 0]
    return float(np.abs(right - logits).max()), bool((chosen >= right.max(axis=2) - TOLERANCE).all())


def _greedy(
    florence2: Florence2, folder: Path, inputs: dict[str, NDArray[Any]]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return start token and answers (n, steps + 1), and the logits of each step (n, steps, vocabulary)."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    vision, encoder, decoder = (
        onnxruntime.InferenceSession(str(folder / name), options, providers=["CPUExecutionProvider"])
        for name in (VISION, ENCODER, DECODER)
    )
    (features,) = vision.run(None, {"pixel_values": inputs["pixel_values"]})
    prompt = {"input_ids": inputs["input_ids"], "attention_mask": inputs["attention_mask"]}
    read = encoder.run(None, {"image_features": features} | prompt)
    fixed = dict(zip([output.name for output in encoder.get_outputs()], read, strict=True))
    fixed["attention_mask"] = inputs["attention_mask"]
    count = len(features)
    past = {
        given.name: np.zeros((count, given.shape[1], 0, given.shape[3]), np.float32)
        for given in decoder.get_inputs()
        if given.name.startswith("past_")
    }
    config: Any = florence2.model.generation_config
    tokens = np.full((count, 1), config.decoder_start_token_id, np.int64)
    steps = []
    for _ in range(min(_STEPS, florence2.max_tokens - 2)):
        logits, *present = decoder.run(None, {"input_ids": tokens[:, -1:]} | fixed | past)
        past = dict(zip(past, present, strict=True))
        steps.append(logits)
        tokens = np.concatenate([tokens, logits[:, -1].argmax(axis=-1)[:, None]], axis=1)
    return tokens, np.concatenate(steps, axis=1)
