"""From pixels and prompts to tokens: encode the images, build the prompts, generate token after token.

An image with several prompts is encoded once. Rows whose answer has ended leave the batch, so that no arithmetic is
spent on their padding. The answer of a row does not depend on the other rows: attention masks hide padding, and each
sampled answer has random numbers of its own.
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
from florence2.model import CACHE_ARGUMENT, Florence2, PixelTransform, best_device, tokenize_prompts

__all__ = ["Decoder", "Generated", "Grammar", "Prompt"]

Grammar = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Takes the tokens so far (n, length) and the logits of the next one (n, vocabulary); returns the logits with -inf for
the tokens that are not allowed."""


_MOST_LOGITS = 1 << 26
"""Logits in memory at a time when the tokens of a beam search are scored: a quarter of a gigabyte."""


@dataclass(frozen=True)
class Prompt:
    """One row of a batch: an encoded image and a tokenized prompt.

    Attributes:
        features: of the image, (positions, width) of the language model.
        ids: tokens of the prompt; the first ones stand for the positions of the image.
        seed: of the random numbers of the row.
    """

    features: torch.Tensor
    ids: list[int]
    seed: tuple[int, ...] = ()


@dataclass(frozen=True)
class Generated:
    """The tokens of an answer.

    Attributes:
        tokens: without the start token; the end token is the last one unless the answer was cut.
        probabilities: of each token under the model, before a grammar or a temperature changes them.
        truncated: whether the length limit cut the answer.
    """

    tokens: list[int]
    probabilities: list[float]
    truncated: bool


class Decoder:
    """A model with the settings by which it generates answers.

    Args:
        florence2: the model; moved to the GPU where there is one, and set to evaluation mode.
        config: length limit, beams or sampling.

    Raises:
        ModelError: the tokenizer or the image processor is not that of the model.
    """

    def __init__(self, florence2: Florence2, config: EvaluationConfig) -> None:
        device: Any = best_device() if florence2.device == "auto" else florence2.device
        model: Any = florence2.model.to(device)
        # Adapters work inside the layers: the model that PEFT wraps has them too.
        self._model: Any = model.get_base_model() if hasattr(model, "get_base_model") else model
        self._model.eval()
        # Not from the output layer: PEFT wraps it where tokens of new classes are trained.
        self._vocabulary = known = int(self._model.config.text_config.vocab_size)
        if len(florence2.tokenizer) > known:
            raise ModelError(
                f"the tokenizer has {len(florence2.tokenizer)} tokens, the model has {known}; "
                "take model and processor from one folder"
            )
        self._florence2, self._config = florence2, config
        self._limit = min(config.max_new_tokens, florence2.max_tokens - 2)
        tokens = self._model.generation_config
        self._start, self._end, self._pad = tokens.decoder_start_token_id, tokens.eos_token_id, tokens.pad_token_id
        self.transform = PixelTransform.of(florence2.processor)

    @torch.inference_mode()
    def encode_images(self, pixels: Sequence[NDArray[np.uint8]]) -> torch.Tensor:
        """Return the features (n, positions, width) of n images, each uint8 (height, width, 3) at the model's size."""
        normalised = self.transform.normalise(torch.from_numpy(np.stack(pixels)).to(self._model.device))
        features: torch.Tensor = self._model.model.get_image_features(normalised).pooler_output
        return features

    def build_prompts(
        self, features: Sequence[torch.Tensor], prompts: Sequence[str], seeds: Sequence[int]
    ) -> list[Prompt]:
        """Join encoded images and the texts of prompts.

        Args:
            features: of the image of each row, (positions, width).
            prompts: the texts as ``TaskTable.prompt_of`` returns them.
            seeds: a number for each row that is computed from the content of its image.

        Raises:
            AnswerError: a prompt is too long for the model.
        """
        rows = zip(features, self.tokenize(prompts), prompts, seeds, strict=True)
        return [self.build_prompt(*row) for row in rows]

    def tokenize(self, prompts: Sequence[str]) -> list[list[int]]:
        """Return the tokens of prompts, with those that stand for the positions of the image.

        Raises:
            AnswerError: a prompt is too long for the model.
        """
        ids = tokenize_prompts(self._florence2.processor, prompts)
        most = self._florence2.max_tokens
        for prompt, tokens in zip(prompts, ids, strict=True):
            if len(tokens) > most:
                raise AnswerError(
                    f"prompt {shorten(prompt, 60)!r}: {len(tokens)} tokens with the image, the model reads {most}; "
                    "shorten it"
                )
        return ids

    def build_prompt(self, features: torch.Tensor, ids: list[int], prompt: str, seed: int) -> Prompt:
        """Join an encoded image and a tokenized prompt; ``seed`` is computed from the content of the image."""
        return Prompt(features, ids, (self._config.generation_seed, seed, zlib.crc32(prompt.encode())))

    @torch.inference_mode()
    def generate(self, batch: Sequence[Prompt], grammar: Grammar | None) -> list[Generated]:
        """Generate the answers to a batch of prompts.

        Args:
            batch: the rows.
            grammar: of all answers; None: every token is allowed.
        """
        hidden, mask = self._encode(batch)
        if self._config.num_beams > 1:
            return self._beam_search(hidden, mask, grammar)
        return self._step_by_step(hidden, mask, batch, grammar)

    def _encode(self, batch: Sequence[Prompt]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the encoder's hidden states of prompts (n, length, width), and their mask (n, length)."""
        longest = max(len(prompt.ids) for prompt in batch)
        ids = torch.tensor([prompt.ids + [self._pad] * (longest - len(prompt.ids)) for prompt in batch])
        lengths = torch.tensor([[len(prompt.ids)] for prompt in batch])
        ids, mask = ids.to(self._model.device), (torch.arange(longest) < lengths).long().to(self._model.device)
        embedded = self._model.get_input_embeddings()(ids)
        features = torch.stack([prompt.features for prompt in batch])
        embedded[:, : features.shape[1]] = features  # a prompt begins with the positions of its image
        encoder = self._model.model.language_model.encoder
        return encoder(attention_mask=mask, inputs_embeds=embedded).last_hidden_state, mask

    def _step_by_step(
        self, hidden: torch.Tensor, mask: torch.Tensor, batch: Sequence[Prompt], grammar: Grammar | None
    ) -> list[Generated]:
        device, count = hidden.device, len(batch)
        draws = self._draws(batch).to(device) if self._config.temperature else None
        rows = torch.arange(count, device=device)
        tokens = torch.full((count, self._limit + 1), self._start, device=device)
        probabilities = torch.zeros((count, self._limit), device=device)
        lengths = torch.full((count,), self._limit, device=device)
        cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
        for step in range(self._limit):
            so_far = tokens[rows, : step + 1]
            logits = self._logits(so_far[:, -1:], hidden, mask, cache)[:, -1].float()
            allowed = grammar(so_far, logits) if grammar else logits
            if draws is None:
                chosen = allowed.argmax(dim=-1)
            else:
                chosen = _draw(allowed / self._config.temperature, draws[rows, step], self._config.top_p)
            tokens[rows, step + 1] = chosen
            own = logits.gather(1, chosen[:, None])[:, 0]
            probabilities[rows, step] = (own - logits.logsumexp(dim=-1)).exp()
            unfinished = (chosen != self._end).nonzero()[:, 0]
            if len(unfinished) == len(rows):
                continue
            lengths[rows[chosen == self._end]] = step + 1
            if not len(unfinished):
                break
            rows, hidden, mask = rows[unfinished], hidden[unfinished], mask[unfinished]
            cache.batch_select_indices(unfinished)
        return self._trimmed(tokens[:, 1:], probabilities, lengths)

    def _beam_search(self, hidden: torch.Tensor, mask: torch.Tensor, grammar: Grammar | None) -> list[Generated]:
        """Search with beams, then compute the probabilities of the best beam's tokens in a second pass.

        The logits of all beams would take gigabytes for one long answer of a real Florence-2.
        """
        found = self._model.generate(
            encoder_outputs=BaseModelOutput(last_hidden_state=hidden),
            attention_mask=mask,
            num_beams=self._config.num_beams,
            do_sample=False,
            max_new_tokens=self._limit,
            logits_processor=LogitsProcessorList([grammar] if grammar else []),
        )
        tokens, probabilities = found[:, 1:], torch.zeros(found[:, 1:].shape, device=hidden.device)
        ends = (tokens == self._end).long()
        lengths = torch.where(ends.any(dim=1), ends.argmax(dim=1) + 1, tokens.shape[1])
        micro_batch_size = max(1, _MOST_LOGITS // (tokens.shape[1] * self._vocabulary))
        for start in range(0, len(tokens), micro_batch_size):
            rows = slice(start, start + micro_batch_size)
            logits = self._logits(found[rows, :-1], hidden[rows], mask[rows], None).float()
            own = logits.gather(2, tokens[rows, :, None])[..., 0]
            probabilities[rows] = (own - logits.logsumexp(dim=-1)).exp()
        return self._trimmed(tokens, probabilities, lengths)

    def _logits(self, tokens: torch.Tensor, hidden: torch.Tensor, mask: torch.Tensor, cache: Any) -> torch.Tensor:
        """Return the logits of the token that follows each token (n, length, vocabulary)."""
        output = self._model.model.language_model.decoder(
            input_ids=tokens,
            encoder_hidden_states=hidden,
            encoder_attention_mask=mask,
            **{CACHE_ARGUMENT: cache},
            use_cache=cache is not None,
        )
        logits: torch.Tensor = self._model.lm_head(output.last_hidden_state)
        return logits

    def _trimmed(self, tokens: torch.Tensor, probabilities: torch.Tensor, lengths: torch.Tensor) -> list[Generated]:
        rows = zip(tokens.tolist(), probabilities.tolist(), lengths.tolist(), strict=True)
        return [Generated(ids[:n], p[:n], truncated=ids[n - 1] != self._end) for ids, p, n in rows]

    def _draws(self, batch: Sequence[Prompt]) -> torch.Tensor:
        """Return a random number in 0..1 for each row and step."""
        return torch.from_numpy(np.stack([np.random.default_rng(row.seed).random(self._limit) for row in batch]))


def _draw(logits: torch.Tensor, draws: torch.Tensor, top_p: float) -> torch.Tensor:
    """Draw a token for each row from the smallest set of tokens whose probability is at least ``top_p``.

    Source: nucleus sampling, Holtzman et al., arXiv 1904.09751.

    Args:
        logits: (n, vocabulary), divided by the temperature.
        draws: uniform random numbers (n,).
        top_p: in 0..1; 1: every token may be drawn.
    """
    chances, order = logits.double().softmax(dim=-1).sort(dim=-1, descending=True, stable=True)
    below = chances.cumsum(dim=-1)
    kept = (below - chances < top_p).sum(dim=-1, keepdim=True).clamp(min=1)
    target = draws[:, None] * below.gather(1, kept - 1)
    rank = torch.minimum(torch.searchsorted(below, target, right=True), kept - 1)
    return order.gather(1, rank)[:, 0]
