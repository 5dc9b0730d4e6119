"""A grammar of answers with boxes: ``class<loc><loc><loc><loc>`` repeated, each maximum above its minimum.

It forbids the model only what is not a box: three locations, a box without area, a location before any class
and, where classes are given, any other name. The state of an answer is computed from its tokens alone, so beams may be
re-ordered and rows may leave the batch. All rows are masked together.

Free names never lowered mAP (``python -m benchmarks.grammars``: +0.001 on cards after a fine-tune and
on shapes without one; 5 to 7 % of the time): they are the default. Given classes raised it a little more
(+0.002) where the model has learnt them, but on classes that it has never seen all 1,800 answers were empty.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from florence2.inference.scoring import TokenReader

__all__ = ["BoxGrammar"]

_START, _NAME, _CORNER, _BOX, _ENDED = range(5)
"""States of an answer: before the first name, in a name, within a box, after a box, after the end."""


class BoxGrammar:
    """Masks the tokens that are not allowed; see ``florence2.inference.decoding.Grammar``.

    Args:
        reader: distinguishes location tokens and special ones from words.
        vocabulary: number of tokens.
        begin: the token with which an answer begins.
        end: the token with which it ends.
        names: tokens of each class; empty: any words may be a name.
        device: of the model.
    """

    def __init__(
        self,
        reader: TokenReader,
        vocabulary: int,
        begin: int,
        end: int,
        names: Sequence[Sequence[int]] = (),
        device: torch.device | str = "cpu",
    ) -> None:
        bins = torch.full((vocabulary,), -1)
        bins[list(reader.location_of)] = torch.tensor(list(reader.location_of.values()))
        words = bins < 0
        words[[token for token in (*reader.framing, *reader.special) if token < vocabulary]] = False
        table = torch.zeros((5, vocabulary), dtype=torch.bool)
        table[[_START, _BOX], end] = True
        table[_START, begin] = True
        table[[_CORNER, _BOX]] |= bins >= 0
        table[_ENDED] = True
        if not names:
            table[[_START, _NAME, _BOX]] |= words
            # Words without a box may end an answer: a model that answers in words is not forced to write a box.
            table[_NAME] |= bins >= 0
            table[_NAME, end] = True
        self._end, self._bins, self._words, self._table = end, bins.to(device), words.to(device), table.to(device)
        self._last = int(bins.max())
        self._names = _Names(names, self._words) if names else None

    def __call__(self, input_ids: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        """Return the logits (n, vocabulary) with -inf for what is not allowed after the tokens (n, length)."""
        bins = self._bins[input_ids]
        run = (bins >= 0).flip(1).cumprod(dim=1).sum(dim=1)
        state = self._state(input_ids, run)
        allowed = self._table[state]
        if self._names is not None:
            node = self._names.walk(input_ids)
            between = (state == _START) | (state == _NAME) | (state == _BOX)
            complete = (state == _NAME) & self._names.complete[node]
            allowed |= between[:, None] & self._names.following(node) | complete[:, None] & (self._bins >= 0)
        if input_ids.shape[1] > 1:
            # The third and fourth location of a box come two after the first and second, and must be above them; so
            # these are never the last bin.
            maximum = (state == _CORNER) & (run % 4 >= 2)
            least = torch.where(maximum, bins[:, -2] + 1, -1)
            most = torch.where(maximum | (state == _ENDED), self._last, self._last - 1)
            allowed &= (self._bins >= least[:, None]) & (self._bins <= most[:, None])
        return logits.masked_fill(~allowed, -torch.inf)

    def _state(self, input_ids: torch.Tensor, run: torch.Tensor) -> torch.Tensor:
        """Return the state of each answer; ``run`` is the number of locations at its end."""
        state = torch.where(self._words[input_ids[:, -1]], _NAME, _START)
        state = torch.where(run > 0, torch.where(run % 4 > 0, _CORNER, _BOX), state)
        # The decoder's start token may be the end token: the first position does not count.
        return torch.where((input_ids[:, 1:] == self._end).any(dim=1), _ENDED, state)


class _Names:
    """The tokens of all names as a tree, its nodes numbered from the root, 0; the last node stands for no name.

    Attributes:
        complete: bool (nodes,), whether a name may end in a node.
    """

    def __init__(self, names: Sequence[Sequence[int]], words: torch.Tensor) -> None:
        children: list[dict[int, int]] = [{}]
        ends = set()
        for name in names:
            node = 0
            for token in name:
                if children[node].setdefault(token, len(children)) == len(children):
                    children.append({})
                node = children[node][token]
            ends.add(node)
        used = sorted({token for below in children for token in below})
        lost, column = len(children), {token: index for index, token in enumerate(used)}
        onward = torch.full((lost + 1, len(used) + 1), lost)
        for node, below in enumerate(children):
            for token, child in below.items():
                onward[node, column[token]] = child
        columns = torch.full(words.shape, len(used))
        columns[used] = torch.arange(len(used))
        self._words, self._used = words, torch.tensor(used, device=words.device)
        self._columns, self._onward = columns.to(words.device), onward.to(words.device)
        self._longest = max(len(name) for name in names)
        # The masks never lead to the last node; if it were reached, a box could end it.
        self.complete = torch.tensor([node in ends for node in range(lost)] + [True], device=words.device)

    def walk(self, input_ids: torch.Tensor) -> torch.Tensor:
        """Return the node (n,) to which the words at the end of each answer (n, length) lead."""
        node = torch.zeros(len(input_ids), dtype=torch.long, device=input_ids.device)
        for token in input_ids[:, -self._longest - 1 :].unbind(dim=1):
            node = torch.where(self._words[token], self._onward[node, self._columns[token]], 0)
        return node

    def following(self, node: torch.Tensor) -> torch.Tensor:
        """Return which tokens may follow each node, bool (n, vocabulary)."""
        allowed = torch.zeros((len(node), len(self._words)), dtype=torch.bool, device=node.device)
        allowed[:, self._used] = self._onward[node, :-1] < len(self.complete) - 1
        return allowed
