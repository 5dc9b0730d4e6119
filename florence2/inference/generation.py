"""Answers for pictures and prompts, in batches: the one path that evaluation and prediction share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image

from florence2.codec.detections import Detections
from florence2.codec.locations import BINS, location_token
from florence2.codec.tasks import AnswerKind, split_prefix
from florence2.config import EvaluationConfig
from florence2.data.images import open_rgb
from florence2.inference.scoring import TokenReader, score_detections
from florence2.model.base import Florence2, best_device
from florence2.model.processing import Sample, encode_prompts

__all__ = ["Prediction", "predict"]


@dataclass(frozen=True)
class Prediction:
    """What the model answered to one sample.

    Attributes:
        text: the answer without special tokens.
        detections: its boxes with confidence where the task asks for boxes, else None.
    """

    text: str
    detections: Detections | None


def predict(florence2: Florence2, samples: Sequence[Sample], config: EvaluationConfig) -> Iterator[Prediction]:
    """Answer samples in their order.

    Args:
        florence2: the model; moved to the GPU where there is one, and put in evaluation mode.
        samples: pictures with prompts; their suffix is not looked at.
        config: batch size, beams and longest answer.

    Yields:
        One prediction per sample.
    """
    model: Any = florence2.model.to(best_device())  # type: ignore[arg-type]
    model.eval()
    reader = _token_reader(florence2)
    for start in range(0, len(samples), config.eval_batch_size):
        batch = samples[start : start + config.eval_batch_size]
        images = [open_rgb(sample.image) for sample in batch]
        yield from _answer(florence2, model, reader, batch, images, config)


def _answer(
    florence2: Florence2,
    model: Any,
    reader: TokenReader,
    batch: Sequence[Sample],
    images: list[Image.Image],
    config: EvaluationConfig,
) -> Iterator[Prediction]:
    inputs = encode_prompts(florence2, images, [sample.prefix for sample in batch])
    longest = min(config.max_new_tokens, florence2.max_target_tokens - 2)
    with torch.inference_mode():
        output = model.generate(
            **{name: tensor.to(model.device) for name, tensor in inputs.items()},
            max_new_tokens=longest,
            num_beams=config.num_beams,
            do_sample=False,
            return_dict_in_generate=True,
            output_scores=True,
        )
        log_probabilities = model.compute_transition_scores(
            output.sequences, output.scores, getattr(output, "beam_indices", None), normalize_logits=True
        )
    special = set(florence2.tokenizer.all_special_ids) - set(reader.location_of)
    answers = output.sequences[:, -log_probabilities.shape[1] :].tolist()
    for sample, tokens, logs in zip(batch, answers, log_probabilities.exp().tolist(), strict=True):
        kept = [(token, p) for token, p in zip(tokens, logs, strict=True) if token not in special]
        ids, probabilities = [token for token, _ in kept], [p for _, p in kept]
        boxes = split_prefix(sample.prefix)[0].answer is AnswerKind.BOXES
        yield Prediction(
            text=reader.decode(ids).strip(),
            detections=score_detections(ids, probabilities, reader, sample.resolution_wh) if boxes else None,
        )


def _token_reader(florence2: Florence2) -> TokenReader:
    tokenizer = florence2.tokenizer
    ids = tokenizer.convert_tokens_to_ids([location_token(index) for index in range(BINS)])
    return TokenReader(
        location_of={token: index for index, token in enumerate(ids)},
        decode=lambda tokens: tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False),
    )
