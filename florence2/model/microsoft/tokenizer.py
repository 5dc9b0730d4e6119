"""The tokenizer of Microsoft's layout and the native one.

Microsoft's processor adds 1,024 tokens when it is loaded; a fine-tune that was saved has them in its files. Natively
they are in the files, and ``<image>`` comes after the last token of all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from florence2.errors import ModelError

__all__ = ["IMAGE_TOKEN", "TOKENS", "Vocabulary", "native_tokenizer", "published_tokenizer", "read_vocabulary"]

IMAGE_TOKEN = "<image>"

_LOCATIONS = tuple(f"<loc_{index}>" for index in range(1000))

TOKENS = (
    *("<od>", "</od>", "<ocr>", "</ocr>"),
    *_LOCATIONS,
    *("<cap>", "</cap>", "<ncap>", "</ncap>", "<dcap>", "</dcap>", "<grounding>", "</grounding>", "<seg>", "</seg>"),
    *("<sep>", "<region_cap>", "</region_cap>", "<region_to_desciption>", "</region_to_desciption>"),
    *("<proposal>", "</proposal>", "<poly>", "</poly>", "<and>"),
)
"""The tokens that Microsoft's processor adds, in this order; they are spelt so."""

_NAMED = {
    "bos_token": "<s>",
    "cls_token": "<s>",
    "eos_token": "</s>",
    "mask_token": "<mask>",
    "pad_token": "<pad>",
    "sep_token": "</s>",
    "unk_token": "<unk>",
}


@dataclass(frozen=True)
class Vocabulary:
    """A tokenizer with all tokens of the native one.

    Attributes:
        content: of tokenizer.json.
        ids: id of each token.
        size: number of tokens before ``<image>`` was added: those for which the model was trained.
    """

    content: Mapping[str, Any]
    ids: Mapping[str, int]
    size: int

    @property
    def image_token_id(self) -> int:
        """Return the id of ``<image>``."""
        return self.ids[IMAGE_TOKEN]


def read_vocabulary(folder: Path) -> Vocabulary:
    """Read the tokenizer of a model of Microsoft's layout, and add to it what the native one has besides.

    Raises:
        ModelError: there is none, its files contradict each other, or it has tokens before the locations that
            Microsoft's has not.
    """
    try:
        return _vocabulary(folder, _content(folder))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        raise ModelError(f"{folder}: its tokenizer cannot be read ({exc!r}); save it again") from exc


def _vocabulary(folder: Path, content: dict[str, Any]) -> Vocabulary:
    added: list[dict[str, Any]] = [*content["added_tokens"], *_slow_tokens(folder, content)]
    vocabulary: Mapping[str, int] = content["model"]["vocab"]
    ids = dict(vocabulary) | {str(token["content"]): int(token["id"]) for token in added}
    _check_own(folder, ids, vocabulary)
    if TOKENS[0] not in ids:
        added += [_token(text, len(ids) + index) for index, text in enumerate(TOKENS)]
        ids |= {token["content"]: token["id"] for token in added[-len(TOKENS) :]}
    size = len(ids)
    if IMAGE_TOKEN not in ids:
        added.append(_token(IMAGE_TOKEN, size))
        ids[IMAGE_TOKEN] = size
    if sorted(ids.values()) != list(range(len(ids))):
        raise ModelError(f"{folder}: the tokenizer gives two tokens one id, or leaves ids out; save it again")
    added.sort(key=lambda token: int(token["id"]))
    whole = dict(content) | {"added_tokens": added, "padding": None, "truncation": None}
    _check_reading(folder, whole, ids)
    return Vocabulary(whole, ids, size)


def _content(folder: Path) -> dict[str, Any]:
    """Return tokenizer.json, made from vocab.json and merges.txt where a slow tokenizer was saved."""
    fast, words, merges = (folder / name for name in ("tokenizer.json", "vocab.json", "merges.txt"))
    if fast.is_file():
        content: dict[str, Any] = json.loads(fast.read_text(encoding="utf-8"))
        return content | {"added_tokens": list(content["added_tokens"])}
    if not (words.is_file() and merges.is_file()):
        raise ModelError(
            f"{folder}: has no tokenizer; copy tokenizer.json, tokenizer_config.json and preprocessor_config.json of "
            "the model from which it was fine-tuned into it"
        )
    lines = merges.read_text(encoding="utf-8").splitlines()
    pairs = [line for line in lines if line and not line.startswith("#version")]
    return _fast(json.loads(words.read_text(encoding="utf-8")), pairs)


def _fast(vocabulary: dict[str, int], merges: list[str]) -> dict[str, Any]:
    """Return the tokenizer.json of BART for a vocabulary and its merges."""
    ends = [("sep", "</s>"), ("cls", "<s>")]
    special = [text for text in dict.fromkeys(_NAMED.values()) if text in vocabulary]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            _token(text, vocabulary[text]) | {"lstrip": text == _NAMED["mask_token"], "normalized": True}
            for text in special
        ],
        "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "post_processor": {
            "type": "RobertaProcessing",
            **{name: [text, vocabulary[text]] for name, text in ends},
            "trim_offsets": True,
            "add_prefix_space": False,
        },
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": vocabulary,
            "merges": merges,
        },
    }


def _token(text: str, index: int, *, special: bool = True) -> dict[str, Any]:
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": index, "content": text, **flags, "special": special}


def _slow_tokens(folder: Path, content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the added tokens that only added_tokens.json and tokenizer_config.json list, in the order of their ids.

    Raises:
        ModelError: a file gives a token another id.
    """
    known = dict(content["model"]["vocab"]) | {token["content"]: token["id"] for token in content["added_tokens"]}
    found: dict[str, dict[str, Any]] = {}
    decoder = (_read(folder / "tokenizer_config.json").get("added_tokens_decoder") or {}).items()
    listed = [_token(token["content"], int(i), special=bool(token.get("special"))) for i, token in decoder]
    listed += [_token(text, int(index)) for text, index in _read(folder / "added_tokens.json").items()]
    for token in listed:
        text = str(token["content"])
        index = known.setdefault(text, token["id"])
        if index != token["id"]:
            raise ModelError(
                f"{folder}: one file of its tokenizer gives {text} the id {index}, another {token['id']}; save the "
                "tokenizer again"
            )
        if text not in content["model"]["vocab"] and all(text != t["content"] for t in content["added_tokens"]):
            found.setdefault(text, token)
    return sorted(found.values(), key=lambda token: int(token["id"]))


def _read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return content


def _check_own(folder: Path, ids: Mapping[str, int], vocabulary: Iterable[str]) -> None:
    """Raise if only some of Microsoft's tokens are there, if locations are not in a row, or if own ones are before."""
    missing = [text for text in TOKENS if text not in ids]
    if missing and len(missing) < len(TOKENS):
        raise ModelError(
            f"{folder}: the tokenizer has only {len(TOKENS) - len(missing)} of the {len(TOKENS)} tokens that "
            f"Microsoft's processor adds; {missing[0]} is missing; save the tokenizer of the processor"
        )
    first = len(ids) if missing else ids[_LOCATIONS[0]]
    if not missing and [ids[text] for text in _LOCATIONS] != list(range(first, first + len(_LOCATIONS))):
        raise ModelError(f"{folder}: the ids of <loc_0> to <loc_999> are not in a row; save the tokenizer again")
    known = {*vocabulary, *TOKENS, *_NAMED.values(), IMAGE_TOKEN}
    own = sorted((index, text) for text, index in ids.items() if index < first and text not in known)
    if own:
        raise ModelError(
            f"{folder}: the token {own[0][1]} (id {own[0][0]}) was added before <loc_0>, so every location has the "
            f"embedding of another; add own tokens to the tokenizer of the loaded processor, after {TOKENS[-1]}, and "
            "train again"
        )


def _check_reading(folder: Path, content: Mapping[str, Any], ids: Mapping[str, int]) -> None:
    """Raise if the library that reads tokenizer.json finds other ids in it: it counts added tokens by itself."""
    from tokenizers import Tokenizer

    try:
        read = Tokenizer.from_str(json.dumps(content)).get_vocab(with_added_tokens=True)
    except Exception as exc:  # the library raises nothing more specific
        raise ModelError(f"{folder}: its tokenizer cannot be read ({exc}); save it again") from exc
    if read != ids:
        text = min({*read.items()} ^ {*ids.items()})[0]
        raise ModelError(f"{folder}: the tokenizer gives {text} another id than its files state; save it again")


def native_tokenizer(vocabulary: Vocabulary, longest: int) -> dict[str, Any]:
    """Return tokenizer_config.json of the native tokenizer.

    Args:
        vocabulary: its tokens.
        longest: most tokens of a text.
    """
    return {
        "add_prefix_space": False,
        "backend": "tokenizers",
        **_NAMED,
        "errors": "replace",
        "extra_special_tokens": _special(vocabulary.content, {*_NAMED.values(), IMAGE_TOKEN}),
        "image_token": IMAGE_TOKEN,
        "model_max_length": longest,
        "model_specific_special_tokens": {"image_token": IMAGE_TOKEN},
        "processor_class": "Florence2Processor",
        "tokenizer_class": "BartTokenizer",
        "trim_offsets": True,
    }


def _special(content: Mapping[str, Any], without: set[str]) -> list[str]:
    tokens = sorted(content["added_tokens"], key=lambda token: int(token["id"]))
    return [token["content"] for token in tokens if token["special"] and token["content"] not in without]


def published_tokenizer(content: Mapping[str, Any], longest: int) -> dict[str, str]:
    """Return the files of the tokenizer in Microsoft's layout, as a fine-tune that was saved has them.

    All tokens are in them, so that Microsoft's processor adds none. Older transformers read them too, and its slow
    tokenizer.

    Args:
        content: native tokenizer.json.
        longest: most tokens of a text.

    Returns:
        Texts by the names of their files.
    """
    flags = ("content", "lstrip", "normalized", "rstrip", "single_word", "special")
    added = sorted(content["added_tokens"], key=lambda token: int(token["id"]))
    model = content["model"]
    own = {token["content"]: token["id"] for token in added if token["content"] not in model["vocab"]}
    additional = _special(content, {*_NAMED.values()})
    config = {
        "add_prefix_space": False,
        "added_tokens_decoder": {str(token["id"]): {name: token[name] for name in flags} for token in added},
        "additional_special_tokens": additional,
        **_NAMED,
        "clean_up_tokenization_spaces": False,
        "errors": "replace",
        "model_max_length": longest,
        "processor_class": "Florence2Processor",
        "tokenizer_class": "BartTokenizer",
        "trim_offsets": True,
    }
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
    return {
        "added_tokens.json": json.dumps(own, indent=2, ensure_ascii=False),
        "merges.txt": "\n".join(["#version: 0.2", *merges, ""]),
        "special_tokens_map.json": json.dumps({"additional_special_tokens": additional, **_NAMED}, indent=2),
        "tokenizer.json": json.dumps(dict(content) | {"padding": None, "truncation": None}, ensure_ascii=False),
        "tokenizer_config.json": json.dumps(config, indent=1, ensure_ascii=False),
        "vocab.json": json.dumps(model["vocab"], ensure_ascii=False),
    }
