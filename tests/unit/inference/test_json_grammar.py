"""The grammar of JSON: whatever a model prefers, its answer can be read."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from florence2.codec import parse_json
from florence2.config import ModelConfig
from florence2.inference.json_grammar import JsonGrammar, JsonState, open_names
from florence2.inference.scoring import TokenReader
from florence2.model.base import load_base

plain = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=5)
numbers = st.integers(-999, 999) | st.sampled_from([0.5, -1.25, 0.0])
values = st.recursive(
    plain | numbers | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(plain, values, max_size=3))
def test_every_object_is_allowed_and_ends_where_it_ends(content: dict[str, Any]) -> None:
    for separators in ((", ", ": "), (",", ":"), (" , ", " : ")):
        text = json.dumps(content, ensure_ascii=False, separators=separators)
        assert JsonState().after(text) == JsonState("done")
        assert all(JsonState().after(text[:end]) not in (None, JsonState("done")) for end in range(len(text)))
        assert JsonState().after(text + "}") is None


@given(st.text('{}[]":, 01.-trufalsn\\"', max_size=14))
def test_what_it_allows_to_end_is_json(text: str) -> None:
    if JsonState().after("{" + text) == JsonState("done"):
        assert isinstance(json.loads("{" + text), dict)


@pytest.mark.parametrize(
    "text", ['{"a" "b"', '{"a": "b" "c"', '{"a",', "{a", '{"a":  1', '{"a": 01', '{"a": -}', '{"a": tru}', '{"a": [}']
)
def test_what_no_reader_accepts_is_forbidden(text: str) -> None:
    assert JsonState().after(text) is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('{"', [""]),
        ('{"a": 1, "b": "c", "d', ["a", "b", "d"]),
        ('{"a": {"x": 1}, "b": [{"y": 2}, {"z', ["z"]),
        ('{"a": {"x": 1}, "b": [1], "', ["a", "b", ""]),
        ('{"a\\"b": 1, "c', ['a\\"b', "c"]),
    ],
)
def test_the_names_of_the_object_in_which_a_text_ends(text: str, names: list[str]) -> None:
    assert open_names(text) == names


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31))
def test_random_logits_make_an_object_that_can_be_read(seed: int) -> None:
    tokenizer = load_base(ModelConfig(base="builtin:nano")).tokenizer
    reader = TokenReader.of(tokenizer)
    vocabulary = len(tokenizer) + 3
    grammar = JsonGrammar(reader, vocabulary, len(tokenizer), tokenizer.bos_token_id, tokenizer.eos_token_id)
    closing = torch.zeros(vocabulary)
    closing[[tokenizer.eos_token_id, *tokenizer('"}', add_special_tokens=False)["input_ids"]]] = 4.0
    rows = torch.full((2, 1), tokenizer.eos_token_id)
    random = torch.Generator().manual_seed(seed)
    for _ in range(120):
        logits = grammar(rows, torch.rand((2, vocabulary), generator=random) + closing)
        assert not torch.isfinite(logits[:, len(tokenizer) :]).any() or (rows[:, 1:] == tokenizer.eos_token_id).any()
        rows = torch.cat([rows, logits.argmax(dim=-1, keepdim=True)], dim=1)
    for row in rows.tolist():
        answer = row[1:]
        if tokenizer.eos_token_id in answer:
            words = [token for token in answer[: answer.index(tokenizer.eos_token_id)] if token not in reader.framing]
            parse_json(reader.decode(words))
