"""Lengths of answers in tokens, from a model's tokenizer alone: no weights, no torch, no transformers."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from florence2.config import ModelConfig
from florence2.errors import ModelError
from florence2.model.files import model_file

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["AnswerLength", "answer_length"]


@dataclass(frozen=True)
class AnswerLength:
    """What validation needs of a model.

    Attributes:
        limit: tokens that an answer may have, begin and end included.
        count: returns the length of each answer in tokens, begin and end included; loads the tokenizer on first use.
    """

    limit: int
    count: Callable[[list[str]], list[int]]


def answer_length(config: ModelConfig, longest: int) -> AnswerLength:
    """Return a model's limit of tokens, and the function that counts them.

    Args:
        config: names the model.
        longest: most tokens of an answer by the settings; the limit of the model may be lower.

    Raises:
        ModelError: there is no such model, or its files cannot be read.
    """
    try:
        text = json.loads(model_file(config, "config.json").read_text(encoding="utf-8"))["text_config"]
        own = int(text["max_position_embeddings"])
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise ModelError(
            f"model {config.base!r} is not a native Florence-2: its config.json gives no limit of tokens ({exc})"
        ) from exc

    @functools.cache
    def tokenizer() -> Tokenizer:
        from tokenizers import Tokenizer

        try:
            loaded = Tokenizer.from_file(str(model_file(config, "tokenizer.json")))
        except ModelError:
            raise
        except Exception as exc:  # the library raises nothing more specific
            raise ModelError(
                f"model {config.base!r}: its tokenizer.json cannot be read ({exc}); save it again"
            ) from exc
        loaded.no_padding()  # the file stores the settings of the tokenizer's last use
        loaded.no_truncation()
        return loaded

    return AnswerLength(min(longest, own), lambda texts: [len(e.ids) for e in tokenizer().encode_batch(texts)])
