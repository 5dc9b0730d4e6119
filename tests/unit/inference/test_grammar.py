"""The grammar of answers with boxes: whatever scores it gets, it lets boxes through and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from florence2.inference.grammar import BoxGrammar
from florence2.inference.scoring import TokenReader, read_boxes

BEGIN, PAD, END, SEPARATOR = 0, 1, 2, 3
CAT, T, SHIRT, SUN, GLASSES = range(4, 9)
FIRST = 9
WORDS = {CAT: "cat", T: "t", SHIRT: "-shirt", SUN: "sun", GLASSES: "glasses"}
READER = TokenReader(
    {FIRST + index: index for index in range(6)},
    lambda ids: "".join(WORDS[i] for i in ids),
    framing=frozenset({BEGIN, PAD, END}),
    special=frozenset({SEPARATOR}),
)
VOCABULARY = FIRST + 6
NAMES = ((CAT,), (T, SHIRT), (SUN,), (SUN, GLASSES))
OPEN = BoxGrammar(READER, VOCABULARY, BEGIN, END)
CLOSED = BoxGrammar(READER, VOCABULARY, BEGIN, END, NAMES)


def allowed(grammar: BoxGrammar, *tokens: int) -> set[int]:
    """What may follow tokens; the decoder begins with the end token, as Florence-2's does."""
    scores = grammar(torch.tensor([[END, *tokens]]), torch.zeros(1, VOCABULARY))
    return set(torch.isfinite(scores[0]).nonzero()[:, 0].tolist())


def minima() -> set[int]:
    """Return the locations with which a box may begin: a maximum must be above them."""
    return set(range(FIRST, VOCABULARY - 1))


def maxima(least: int) -> set[int]:
    return set(range(FIRST + least, VOCABULARY))


@pytest.mark.parametrize("grammar", [OPEN, CLOSED])
def test_a_box_has_four_locations_in_order(grammar: BoxGrammar) -> None:
    box = [BEGIN, CAT, FIRST + 2, FIRST + 4]
    assert allowed(grammar, *box[:3]) == minima()
    assert allowed(grammar, *box) == maxima(3)
    assert allowed(grammar, *box, FIRST + 3) == maxima(5)
    starts = set(WORDS) if grammar is OPEN else {CAT, T, SUN}
    assert allowed(grammar, *box, FIRST + 3, FIRST + 5) == {*starts, *minima(), END}


def test_a_name_is_one_of_the_classes() -> None:
    assert allowed(CLOSED) == {BEGIN, END, CAT, T, SUN}
    assert allowed(CLOSED, BEGIN, CAT) == minima()
    assert allowed(CLOSED, BEGIN, T) == {SHIRT}
    assert allowed(CLOSED, BEGIN, SUN) == {GLASSES, *minima()}


def test_words_are_free_without_classes_and_may_end() -> None:
    assert allowed(OPEN, BEGIN) == {BEGIN, END, *WORDS}
    assert allowed(OPEN, BEGIN, GLASSES, CAT) == {END, *WORDS, *minima()}


@pytest.mark.parametrize("grammar", [OPEN, CLOSED])
def test_a_finished_row_may_be_padded(grammar: BoxGrammar) -> None:
    assert allowed(grammar, BEGIN, END) == set(range(VOCABULARY))
    assert allowed(grammar, BEGIN, END, PAD, PAD) == set(range(VOCABULARY))


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_every_answer_under_the_grammar_is_boxes(seed: int, closed: bool) -> None:
    grammar, rng = CLOSED if closed else OPEN, np.random.default_rng(seed)
    tokens = torch.full((3, 1), END)
    for _ in range(30):
        scores = grammar(tokens, torch.from_numpy(rng.normal(size=(3, VOCABULARY))))
        chosen = scores.argmax(dim=1)
        assert bool(scores.gather(1, chosen[:, None]).isfinite().all())
        tokens = torch.cat([tokens, chosen[:, None]], dim=1)
    for row in tokens[:, 1:].tolist():
        answer = row[: row.index(END)] if END in row else row
        ends_in_box = not answer or answer[-1] >= FIRST
        boxes, malformed = read_boxes(answer, [1.0] * len(answer), READER)
        assert malformed <= (not ends_in_box or END not in row)
        assert not closed or {box.class_name for box in boxes} <= {"cat", "t-shirt", "sun", "sunglasses"}


def test_rows_are_masked_each_by_its_own_tokens() -> None:
    rows = torch.tensor([[END, BEGIN, CAT], [END, BEGIN, END], [END, BEGIN, T]])
    together = CLOSED(rows, torch.zeros(3, VOCABULARY))
    for index in range(3):
        assert torch.equal(together[index], CLOSED(rows[index : index + 1], torch.zeros(1, VOCABULARY))[0])
