"""Every token has in the native tokenizer the id that it has in Microsoft's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from florence2.errors import ModelError
from florence2.model.microsoft.tokenizer import (
    IMAGE_TOKEN,
    TOKENS,
    Vocabulary,
    native_tokenizer,
    published_tokenizer,
    read_vocabulary,
)
from tests.published import WORDS, write_published_model

TEXT = "Locate the objects: a cat<loc_0><loc_999> at 5 pm<and>"


def written(vocabulary: Vocabulary, folder: Path) -> Any:
    """Return the native tokenizer, as transformers loads it from its files."""
    folder.mkdir()
    (folder / "tokenizer.json").write_text(json.dumps(vocabulary.content))
    (folder / "tokenizer_config.json").write_text(json.dumps(native_tokenizer(vocabulary, 64)))
    return AutoTokenizer.from_pretrained(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_published_model(tmp_path / "published")


def edit(file: Path, change: Any) -> None:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


def test_the_tokens_are_those_that_microsofts_processor_adds() -> None:
    assert len(TOKENS) == len(set(TOKENS)) == 1024
    assert TOKENS[:5] == ("<od>", "</od>", "<ocr>", "</ocr>", "<loc_0>")
    assert TOKENS[1003:1006] == ("<loc_999>", "<cap>", "</cap>")
    assert TOKENS[-1] == "<and>"


def test_tokens_are_added_in_the_order_of_microsofts_processor_and_the_image_after_them(
    folder: Path, tmp_path: Path
) -> None:
    found = read_vocabulary(folder)
    tokenizer = written(found, tmp_path / "native")
    assert [tokenizer.convert_tokens_to_ids(token) for token in TOKENS] == list(range(WORDS, WORDS + 1024))
    assert tokenizer.image_token_id == found.image_token_id == found.size == WORDS + 1024
    ids = tokenizer(TEXT)["input_ids"]
    assert (ids[0], ids[-2], ids[-1]) == (0, WORDS + 1023, 2)
    assert tokenizer.decode(ids, skip_special_tokens=False) == f"<s>{TEXT}</s>"


def test_own_tokens_after_the_last_one_keep_their_ids_and_shift_the_image(folder: Path, tmp_path: Path) -> None:
    saved = published_tokenizer(read_vocabulary(folder).content, 64)
    content = json.loads(saved["tokenizer.json"])
    image = content["added_tokens"].pop()
    assert image["content"] == IMAGE_TOKEN
    content["added_tokens"] += [
        image | {"content": text, "id": image["id"] + index, "special": index == 0}
        for index, text in enumerate(("<RECEIPT>", "<TAGS>"))
    ]
    (folder / "tokenizer.json").write_text(json.dumps(content))
    tokenizer = written(read_vocabulary(folder), tmp_path / "native")
    found = tokenizer.convert_tokens_to_ids(["<and>", "<RECEIPT>", "<TAGS>", IMAGE_TOKEN])
    assert found == [WORDS + 1023, WORDS + 1024, WORDS + 1025, WORDS + 1026]
    assert tokenizer("<TAGS>")["input_ids"] == [0, WORDS + 1025, 2]


def test_what_is_written_for_microsofts_code_is_read_again_with_the_same_ids(folder: Path, tmp_path: Path) -> None:
    first = read_vocabulary(folder)
    for names in (("tokenizer.json",), ("vocab.json", "merges.txt", "added_tokens.json")):
        saved = tmp_path / names[0]
        saved.mkdir()
        for name, text in published_tokenizer(first.content, 64).items():
            if name in (*names, "tokenizer_config.json"):
                (saved / name).write_text(text)
        again = read_vocabulary(saved)
        assert again.ids == first.ids
        assert again.size == len(first.ids)
        texts = written(first, saved / "a"), written(again, saved / "b")
        assert texts[0](TEXT)["input_ids"] == texts[1](TEXT)["input_ids"]


def test_older_transformers_can_read_the_written_settings(folder: Path) -> None:
    """Before version 5 a list of ``extra_special_tokens`` was an error, and special tokens had another name."""
    settings = json.loads(published_tokenizer(read_vocabulary(folder).content, 64)["tokenizer_config.json"])
    assert "extra_special_tokens" not in settings
    assert settings["additional_special_tokens"][:2] == ["<od>", "</od>"]
    assert settings["added_tokens_decoder"][str(WORDS)]["content"] == "<od>"


def test_tokens_before_the_locations_are_named(tmp_path: Path) -> None:
    folder = write_published_model(tmp_path / "own", own_tokens=("<RECEIPT>",))
    with pytest.raises(ModelError, match=r"the token <RECEIPT> \(id 261\) was added before <loc_0>.*train again"):
        read_vocabulary(folder)


def test_a_folder_without_a_tokenizer_is_named(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"has no tokenizer; copy tokenizer\.json, .* of the model from which it was"):
        read_vocabulary(folder)


def test_files_that_contradict_each_other_are_named(folder: Path) -> None:
    (folder / "added_tokens.json").write_text(json.dumps({"<mask>": 7}))
    with pytest.raises(ModelError, match="gives <mask> the id 260, another 7"):
        read_vocabulary(folder)
    (folder / "added_tokens.json").write_text(json.dumps({"<od>": 261}))
    with pytest.raises(ModelError, match=r"only 1 of the 1024 tokens .*; </od> is missing"):
        read_vocabulary(folder)
    (folder / "added_tokens.json").write_text(json.dumps({token: 300 + i for i, token in enumerate(TOKENS)}))
    with pytest.raises(ModelError, match="leaves ids out"):
        read_vocabulary(folder)
    swapped = {token: WORDS + i for i, token in enumerate((*TOKENS[:4], "<loc_1>", "<loc_0>", *TOKENS[6:]))}
    (folder / "added_tokens.json").write_text(json.dumps(swapped))
    with pytest.raises(ModelError, match="not in a row"):
        read_vocabulary(folder)


def test_a_damaged_tokenizer_is_named(folder: Path) -> None:
    edit(folder / "tokenizer.json", lambda content: content["model"].update(type="Unknown"))
    with pytest.raises(ModelError, match="cannot be read"):
        read_vocabulary(folder)
    edit(folder / "tokenizer.json", lambda content: content["model"].update(vocab=["<s>"]))
    with pytest.raises(ModelError, match="cannot be read"):
        read_vocabulary(folder)
    (folder / "tokenizer.json").write_text('{"added_tokens": 3')
    with pytest.raises(ModelError, match="cannot be read"):
        read_vocabulary(folder)
