"""The arithmetic of an answer: see the images, read the questions, write token after token.

An image about which several questions are asked is seen once. Rows whose answer has ended leave the batch, so that
no arithmetic is spent on their padding. What a row gets does not depend on the others: attention masks hide padding,
and a sampled answer draws its own random numbers.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import DynamicCache, EncoderDecoderCache, LogitsProcessorList
from transformers.modeling_outputs import BaseModelOutput

from florence2.config import EvaluationConfig
from florence2.errors import AnswerError, ModelError
from florence2.model import Florence2, PixelTransform, best_device, tokenize_prompts

__all__ = ["Decoder", "Grammar", "Question", "Written"]

Grammar = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Takes the tokens so far (n, length) and the scores of the next one (n, vocabulary); returns the scores with -inf for
what may not follow."""


_MOST_SCORES = 1 << 26
"""Scores of tokens that are kept at a time when beams are read once more: a quarter of a gigabyte."""


@dataclass(frozen=True)
class Question:
    """One row of a batch.

    Attributes:
        features: of its image, (places, width) of the language model.
        ids: of the prompt, the image's places included.
        seed: of its random numbers.
    """

    features: torch.Tensor
    ids: list[int]
    seed: tuple[int, ...] = ()


@dataclass(frozen=True)
class Written:
    """An answer as the decoder wrote it.

    Attributes:
        tokens: without the start token; the end token is the last one unless the answer was cut.
        probabilities: of each token under the model, whatever a grammar or a temperature made of it.
        truncated: whether the length limit cut it.
    """

    tokens: list[int]
    probabilities: list[float]
    truncated: bool


class Decoder:
    """A model that answers, with how it shall do so.

    Raises:
        ModelError: its tokenizer or image processor is not that of the model.
    """

    def __init__(self, florence2: Florence2, config: EvaluationConfig) -> None:
        device: Any = best_device() if florence2.device == "auto" else florence2.device
        model: Any = florence2.model.to(device)
        # Adapters work inside the layers: the model around which PEFT stands has them too.
        self._model: Any = model.get_base_model() if hasattr(model, "get_base_model") else model
        self._model.eval()
        # Not from the output layer: PEFT wraps it where words of new classes are trained.
        self._vocabulary = known = int(self._model.config.text_config.vocab_size)
        if len(florence2.tokenizer) > known:
            raise ModelError(
                f"the tokenizer has {len(florence2.tokenizer)} tokens, the model knows {known}; "
                "take model and processor from one folder"
            )
        self._florence2, self._config = florence2, config
        self._limit = min(config.max_new_tokens, florence2.max_tokens - 2)
        tokens = self._model.generation_config
        self._start, self._end, self._pad = tokens.decoder_start_token_id, tokens.eos_token_id, tokens.pad_token_id
        self.transform = PixelTransform.of(florence2.processor)

    @torch.inference_mode()
    def see(self, decoded: Sequence[NDArray[np.uint8]]) -> torch.Tensor:
        """Return the features (n, places, width) of n images of the model's size."""
        pixels = self.transform.normalise(torch.from_numpy(np.stack(decoded)).to(self._model.device))
        features: torch.Tensor = self._model.model.get_image_features(pixels).pooler_output
        return features

    def ask(self, features: Sequence[torch.Tensor], prefixes: Sequence[str], seeds: Sequence[int]) -> list[Question]:
        """Join images and questions.

        Args:
            features: of the image of each row, (places, width).
            prefixes: the prompts.
            seeds: a number that stands for the content of each image.

        Raises:
            AnswerError: a prefix is not a task token with what belongs to it, or too long for the model.
        """
        rows = zip(features, self.encode(prefixes), prefixes, seeds, strict=True)
        return [self.question(*row) for row in rows]

    def encode(self, prefixes: Sequence[str]) -> list[list[int]]:
        """Return the ids of prompts, the places of an image included.

        Raises:
            AnswerError: a prefix is not a task token with what belongs to it, or too long for the model.
        """
        ids = tokenize_prompts(self._florence2.processor, prefixes)
        most = self._florence2.max_tokens
        for prefix, tokens in zip(prefixes, ids, strict=True):
            if len(tokens) > most:
                raise AnswerError(
                    f"prefix {shorten(prefix, 60)!r}: {len(tokens)} tokens with the image, the model reads {most}; "
                    "shorten it"
                )
        return ids

    def question(self, features: torch.Tensor, ids: list[int], prefix: str, seed: int) -> Question:
        """Join an image and an encoded prompt; ``seed`` is a number that stands for the content of the image."""
        return Question(features, ids, (self._config.generation_seed, seed, zlib.crc32(prefix.encode())))

    @torch.inference_mode()
    def write(self, batch: Sequence[Question], grammar: Grammar | None) -> list[Written]:
        """Answer a batch of questions.

        Args:
            batch: the rows.
            grammar: of all their answers; None: anything may be written.
        """
        hidden, mask = self._read(batch)
        if self._config.num_beams > 1:
            return self._search(hidden, mask, grammar)
        return self._step_by_step(hidden, mask, batch, grammar)

    def _read(self, batch: Sequence[Question]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what the encoder makes of the questions (n, length, width), and its mask (n, length)."""
        longest = max(len(question.ids) for question in batch)
        ids = torch.tensor([question.ids + [self._pad] * (longest - len(question.ids)) for question in batch])
        lengths = torch.tensor([[len(question.ids)] for question in batch])
        ids, mask = ids.to(self._model.device), (torch.arange(longest) < lengths).long().to(self._model.device)
        embedded = self._model.get_input_embeddings()(ids)
        features = torch.stack([question.features for question in batch])
        embedded[:, : features.shape[1]] = features  # a prompt begins with the places of its image
        encoder = self._model.model.language_model.encoder
        return encoder(attention_mask=mask, inputs_embeds=embedded).last_hidden_state, mask

    def _step_by_step(
        self, hidden: torch.Tensor, mask: torch.Tensor, batch: Sequence[Question], grammar: Grammar | None
    ) -> list[Written]:
        device, count = hidden.device, len(batch)
        draws = self._draws(batch).to(device) if self._config.temperature else None
        rows = torch.arange(count, device=device)
        tokens = torch.full((count, self._limit + 1), self._start, device=device)
        chances = torch.zeros((count, self._limit), device=device)
        lengths = torch.full((count,), self._limit, device=device)
        cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
        for step in range(self._limit):
            written = tokens[rows, : step + 1]
            logits = self._logits(written[:, -1:], hidden, mask, cache)[:, -1].float()
            scores = grammar(written, logits) if grammar else logits
            if draws is None:
                chosen = scores.argmax(dim=-1)
            else:
                chosen = _draw(scores / self._config.temperature, draws[rows, step], self._config.top_p)
            tokens[rows, step + 1] = chosen
            own = logits.gather(1, chosen[:, None])[:, 0]
            chances[rows, step] = (own - logits.logsumexp(dim=-1)).exp()
            going = (chosen != self._end).nonzero()[:, 0]
            if len(going) == len(rows):
                continue
            lengths[rows[chosen == self._end]] = step + 1
            if not len(going):
                break
            rows, hidden, mask = rows[going], hidden[going], mask[going]
            cache.batch_select_indices(going)
        return self._trimmed(tokens[:, 1:], chances, lengths)

    def _search(self, hidden: torch.Tensor, mask: torch.Tensor, grammar: Grammar | None) -> list[Written]:
        """Search with beams, then read the winners once more for their probabilities.

        Keeping the scores of all beams would take gigabytes for one long answer of a real Florence-2.
        """
        found = self._model.generate(
            encoder_outputs=BaseModelOutput(last_hidden_state=hidden),
            attention_mask=mask,
            num_beams=self._config.num_beams,
            do_sample=False,
            max_new_tokens=self._limit,
            logits_processor=LogitsProcessorList([grammar] if grammar else []),
        )
        tokens, chances = found[:, 1:], torch.zeros(found[:, 1:].shape, device=hidden.device)
        ends = (tokens == self._end).long()
        lengths = torch.where(ends.any(dim=1), ends.argmax(dim=1) + 1, tokens.shape[1])
        micro_batch_size = max(1, _MOST_SCORES // (tokens.shape[1] * self._vocabulary))
        for start in range(0, len(tokens), micro_batch_size):
            rows = slice(start, start + micro_batch_size)
            logits = self._logits(found[rows, :-1], hidden[rows], mask[rows], None).float()
            own = logits.gather(2, tokens[rows, :, None])[..., 0]
            chances[rows] = (own - logits.logsumexp(dim=-1)).exp()
        return self._trimmed(tokens, chances, lengths)

    def _logits(self, tokens: torch.Tensor, hidden: torch.Tensor, mask: torch.Tensor, cache: Any) -> torch.Tensor:
        """Return the scores of what follows each token (n, length, vocabulary)."""
        output = self._model.model.language_model.decoder(
            input_ids=tokens,
            encoder_hidden_states=hidden,
            encoder_attention_mask=mask,
            past_key_values=cache,
            use_cache=cache is not None,
        )
        scores: torch.Tensor = self._model.lm_head(output.last_hidden_state)
        return scores

    def _trimmed(self, tokens: torch.Tensor, chances: torch.Tensor, lengths: torch.Tensor) -> list[Written]:
        cut = zip(tokens.tolist(), chances.tolist(), lengths.tolist(), strict=True)
        return [Written(ids[:n], p[:n], truncated=ids[n - 1] != self._end) for ids, p, n in cut]

    def _draws(self, batch: Sequence[Question]) -> torch.Tensor:
        """Return a random number in 0..1 for each row and step."""
        return torch.from_numpy(np.stack([np.random.default_rng(q.seed).random(self._limit) for q in batch]))


def _draw(scores: torch.Tensor, draws: torch.Tensor, top_p: float) -> torch.Tensor:
    """Draw a token for each row from the smallest set of tokens whose probability is at least ``top_p``.

    Source: nucleus sampling, Holtzman et al., arXiv 1904.09751.

    Args:
        scores: logits (n, vocabulary), the temperature applied.
        draws: uniform random numbers (n,).
        top_p: in 0..1; 1 takes every token into account.
    """
    chances, order = scores.double().softmax(dim=-1).sort(dim=-1, descending=True, stable=True)
    below = chances.cumsum(dim=-1)
    kept = (below - chances < top_p).sum(dim=-1, keepdim=True).clamp(min=1)
    target = draws[:, None] * below.gather(1, kept - 1)
    place = torch.minimum(torch.searchsorted(below, target, right=True), kept - 1)
    return order.gather(1, place)[:, 0]
