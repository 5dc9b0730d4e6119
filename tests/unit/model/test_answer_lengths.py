"""The length of answers without the model: the same as with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from florence2.config import ModelConfig
from florence2.errors import ModelError
from florence2.model.answer_lengths import answer_length
from florence2.model.base import load_base


def test_counts_as_the_models_own_tokenizer() -> None:
    texts = ["", "cat<loc_1><loc_2><loc_3><loc_999>", "été \N{GRINNING FACE} t-shirt", "a" * 50]
    assert answer_length(ModelConfig(base="builtin:nano"), 1024).count(texts) == load_base(
        ModelConfig(base="builtin:nano")
    ).count_answer_tokens(texts)


def test_the_lower_limit_holds() -> None:
    assert answer_length(ModelConfig(base="builtin:nano"), 64).limit == 64
    assert (
        answer_length(ModelConfig(base="builtin:nano"), 100_000).limit
        == load_base(ModelConfig(base="builtin:nano")).max_tokens
    )


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="not a native Florence-2"):
        answer_length(ModelConfig(base=str(tmp_path)), 10)


def test_a_folder_without_a_tokenizer_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"text_config": {"max_position_embeddings": 64}}')
    with pytest.raises(ModelError, match=r"tokenizer\.json cannot be read"):
        answer_length(ModelConfig(base=str(tmp_path)), 10).count(["a"])


def test_needs_neither_torch_nor_transformers() -> None:
    code = """
import sys
from florence2.config import ModelConfig
from florence2.model.answer_lengths import answer_length
length = answer_length(ModelConfig(base="builtin:nano"), 10)
print(length.count(["a cat"]), [m for m in ("torch", "transformers") if m in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith(" []\n")
