"""A grammar of answers in JSON: one object, and after it the end.

It forbids the model only what makes the answer unreadable: a name without a value, a missing comma, a text after the
object, a name that its object has already. It says nothing else about names. Between names and values there is at most
one blank. An answer that reaches the length limit is cut in spite of the grammar.
"""

from __future__ import annotations

import string
from functools import lru_cache
from typing import NamedTuple

import torch

from florence2.inference.scoring import TokenReader

__all__ = ["JsonGrammar", "JsonState", "open_names"]

_DEEPEST = 8
"""Objects and lists within each other."""
_KEPT_MASKS = 512
_LITERALS = {word[0]: word[1:] for word in ("true", "false", "null")}
_ESCAPED = '"\\/bfnrt'
_AFTER_NUMBER = " ,]}"


class JsonState(NamedTuple):
    """Where in an object the text so far ends.

    Attributes:
        mode: what may follow; the methods of ``after`` are called by it.
        within: the open objects and lists, ``{`` and ``[``, from the outside to the inside.
        rest: what is left of a word such as true; of a string not empty if it is a name; else a blank that was the last
            letter.
    """

    mode: str = "start"
    within: str = ""
    rest: str = ""

    def after(self, text: str) -> JsonState | None:
        """Return the state after more text; None where that is no JSON."""
        state: JsonState | None = self
        for letter in text:
            if state is None:
                return None
            state = state._letter(letter)
        return state

    def _letter(self, letter: str) -> JsonState | None:
        match self.mode:
            case "string":
                return self._in_string(letter)
            case "escape":
                return self._replace(mode="string") if letter in _ESCAPED else None
            case "word":
                return self._in_word(letter)
            case "minus" | "zero" | "whole" | "point" | "fraction":
                return self._in_number(letter)
        if letter == " ":  # one at most: a model that has lost its way writes nothing else
            return self._replace(rest=" ") if self.mode not in ("start", "done") and not self.rest else None
        return self._replace(rest="")._between(letter)

    def _between(self, letter: str) -> JsonState | None:
        """Return the state after a letter that is not part of a value or name."""
        match self.mode, letter:
            case ("start", "{"):
                return JsonState("first name", "{")
            case ("first name" | "name", '"'):
                return self._replace(mode="string", rest="name")
            case ("colon", ":"):
                return self._replace(mode="value")
            case ("first name", "}") | ("first value", "]"):
                return self._closed()
            case ("value" | "first value", _):
                return self._value(letter)
            case ("more", ","):
                return self._replace(mode="name" if self.within[-1] == "{" else "value")
            case ("more", "}" | "]") if (self.within[-1] == "{") == (letter == "}"):
                return self._closed()
        return None

    def _in_string(self, letter: str) -> JsonState | None:
        if letter == '"':
            return self._replace(mode="colon" if self.rest else "more", rest="")
        if letter == "\\":
            return self._replace(mode="escape")
        return self if letter >= " " else None

    def _in_word(self, letter: str) -> JsonState | None:
        if letter != self.rest[0]:
            return None
        return self._replace(rest=self.rest[1:]) if self.rest[1:] else self._replace(mode="more", rest="")

    def _in_number(self, letter: str) -> JsonState | None:
        if letter in string.digits and self.mode != "zero":
            following = {"minus": "zero" if letter == "0" else "whole", "point": "fraction"}
            return self._replace(mode=following.get(self.mode, self.mode))
        if letter == "." and self.mode in ("zero", "whole"):
            return self._replace(mode="point")
        if letter in _AFTER_NUMBER and self.mode not in ("minus", "point"):
            return self._replace(mode="more")._letter(letter)
        return None

    def _value(self, letter: str) -> JsonState | None:
        if letter == '"':
            return self._replace(mode="string", rest="")
        if letter in "{[" and len(self.within) < _DEEPEST:
            return self._replace(mode="first name" if letter == "{" else "first value", within=self.within + letter)
        if letter in _LITERALS:
            return self._replace(mode="word", rest=_LITERALS[letter])
        if letter == "-":
            return self._replace(mode="minus")
        if letter in string.digits:
            return self._replace(mode="zero" if letter == "0" else "whole")
        return None

    def _closed(self) -> JsonState:
        outside = self.within[:-1]
        return JsonState("more" if outside else "done", outside)


def open_names(text: str) -> list[str]:
    """Return the names of the object in which a text ends, the last one as far as it is written.

    Args:
        text: the beginning of an object that ends within a name.
    """
    state: JsonState | None = JsonState()
    names: list[list[str]] = [[]]
    for letter in text:
        assert state is not None, "a text that the grammar allows"
        before, state = state, state.after(letter)
        if state is None:
            break
        if len(state.within) > len(before.within):
            names.append([])
        elif len(state.within) < len(before.within):
            names.pop()
        in_name = bool(before.rest) and before.mode in ("string", "escape")
        if state.mode == "string" and state.rest and not in_name:
            names[-1].append("")
        elif in_name and state.mode in ("string", "escape"):
            names[-1][-1] += letter
    return names[-1]


class JsonGrammar:
    """Masks the tokens that are not allowed; see ``florence2.inference.decoding.Grammar``.

    Args:
        reader: turns tokens into text, and distinguishes words from locations and special tokens.
        vocabulary: number of tokens of the model.
        tokens: number of tokens of the tokenizer; the model may have more.
        begin: the token with which an answer begins.
        end: the token with which it ends.
        device: of the model.
    """

    def __init__(
        self,
        reader: TokenReader,
        vocabulary: int,
        tokens: int,
        begin: int,
        end: int,
        device: torch.device | str = "cpu",
    ) -> None:
        no_words = {*reader.framing, *reader.special, *reader.location_of}
        self._texts = {token: reader.decode([token]) for token in range(tokens) if token not in no_words}
        self._quoting = [(token, text) for token, text in self._texts.items() if '"' in text]
        self._vocabulary, self._begin, self._end, self._device = vocabulary, begin, end, device
        self._mask = lru_cache(_KEPT_MASKS)(self._compute_mask)
        self._known: dict[tuple[int, ...], JsonState | None] = {}

    def __call__(self, input_ids: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        """Return the logits (n, vocabulary) with -inf for what is not allowed after the tokens (n, length)."""
        # The decoder's start token may be the end token: the first position does not count.
        answers = [tuple(row[1:]) for row in input_ids.tolist()]
        self._known = {answer: self._state(answer) for answer in answers}
        allowed = torch.stack([self._allowed(answer) for answer in answers])
        return logits.masked_fill(~allowed, -torch.inf)

    def _allowed(self, answer: tuple[int, ...]) -> torch.Tensor:
        """Return the allowed tokens (vocabulary) after an answer."""
        state = self._known[answer]
        allowed = self._mask(state, not answer)
        if state is None or not (state.mode == "string" and state.rest):
            return allowed
        *names, begun = open_names("".join(self._texts.get(token, "") for token in answer))
        repeats = [token for token, text in self._quoting if begun + text.partition('"')[0] in names]
        if repeats:
            allowed = allowed.clone()
            allowed[repeats] = False
        return allowed

    def _state(self, answer: tuple[int, ...]) -> JsonState | None:
        """Return the state of an answer; None after its end. That of the step before is usually known."""
        if not answer:
            return JsonState()
        before = self._known[answer[:-1]] if answer[:-1] in self._known else self._state(answer[:-1])
        if before is None or answer[-1] == self._end:
            return None
        return before.after(self._texts.get(answer[-1], ""))

    def _compute_mask(self, state: JsonState | None, is_first: bool) -> torch.Tensor:
        """Return the allowed tokens (vocabulary): all of them after the end."""
        allowed = torch.full((self._vocabulary,), state is None)
        if state is not None:
            allowed[[token for token, text in self._texts.items() if text and state.after(text) is not None]] = True
            allowed[self._end] = state.mode == "done"
            allowed[self._begin] = is_first
        return allowed.to(self._device)
