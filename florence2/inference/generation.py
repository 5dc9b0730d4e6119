"""Answers for pictures and prompts, in batches: the one path that evaluation and prediction share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from transformers import LogitsProcessor, LogitsProcessorList

from florence2.codec.detections import Detections
from florence2.codec.locations import BINS, location_token
from florence2.codec.tasks import AnswerKind, split_prefix
from florence2.config import EvaluationConfig
from florence2.data.images.files import open_rgb
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
    inputs = encode_prompts(florence2.processor, images, [sample.prefix for sample in batch])
    chosen = _ChosenProbabilities()
    greedy = config.num_beams == 1
    with torch.inference_mode():
        output = model.generate(
            **{name: tensor.to(model.device) for name, tensor in inputs.items()},
            max_new_tokens=min(config.max_new_tokens, florence2.max_tokens - 2),
            num_beams=config.num_beams,
            do_sample=False,
            return_dict_in_generate=True,
            output_scores=not greedy,
            logits_processor=LogitsProcessorList([chosen] if greedy else []),
        )
        probabilities = chosen.stacked() if greedy else _of_beams(model, output)
    answers = output.sequences[:, -probabilities.shape[1] :].tolist()
    for sample, tokens, weights in zip(batch, answers, probabilities.tolist(), strict=True):
        pairs = [(token, p) for token, p in zip(tokens, weights, strict=True) if token not in reader.framing]
        text = reader.decode([token for token, _ in pairs]).strip()
        detections = None
        if split_prefix(sample.prefix)[0].answer is AnswerKind.BOXES:
            words = [(token, p) for token, p in pairs if token not in reader.special]
            detections = score_detections([t for t, _ in words], [p for _, p in words], reader, sample.resolution_wh)
        yield Prediction(text, detections)


class _ChosenProbabilities(LogitsProcessor):
    """Notes the probability of the token that greedy decoding takes at each step.

    One number per sample and step; keeping the scores of the whole vocabulary, as ``output_scores`` does, would take
    gigabytes for one long answer of a real Florence-2.
    """

    def __init__(self) -> None:
        self._steps: list[torch.Tensor] = []

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:  # noqa: ARG002
        self._steps.append(scores.float().log_softmax(dim=-1).amax(dim=-1))
        return scores

    def stacked(self) -> torch.Tensor:
        """Return the probabilities (samples, steps)."""
        return torch.stack(self._steps, dim=1).exp()


def _of_beams(model: Any, output: Any) -> torch.Tensor:
    """Return the probability of each token of the winning beams (samples, steps)."""
    logs = model.compute_transition_scores(output.sequences, output.scores, output.beam_indices, normalize_logits=True)
    return torch.as_tensor(logs).exp()


def _token_reader(florence2: Florence2) -> TokenReader:
    tokenizer = florence2.tokenizer
    ids = tokenizer.convert_tokens_to_ids([location_token(index) for index in range(BINS)])
    return TokenReader(
        location_of={token: index for index, token in enumerate(ids)},
        framing=frozenset({tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id}),
        special=frozenset(tokenizer.all_special_ids) - frozenset(ids),
        decode=lambda tokens: tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False),
    )
