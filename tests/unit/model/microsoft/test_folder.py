"""A whole model goes from Microsoft's layout to the native one and back, and what does not fit is named."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from florence2.codec import task_table
from florence2.config import ModelConfig, TaskConfig
from florence2.errors import ModelError
from florence2.model.base import load_base, load_folder
from florence2.model.florence import Florence2
from florence2.model.microsoft.folder import is_published_folder, write_native, write_native_files, write_published
from florence2.model.microsoft.weights import read_weights
from florence2.model.own_tasks import add_tasks
from florence2.model.processing import encode_prompts
from tests.published import CONFIG, WORDS, embedding_copies, published_tensors, write_published_model

_ORACLE = Path(os.environ.get("FLORENCE2_LEGACY_ORACLE", "/no/such/folder"))
"""Models in Microsoft's layout, each in a folder with ``image.png`` and ``expected.json``: what they must answer."""

OWN = task_table({"<RECEIPT>": TaskConfig(answer="json", new_token=True)})

CASES = sorted(file.parent for file in _ORACLE.glob("*/expected.json"))


def imported(source: Path, target: Path) -> Florence2:
    target.mkdir()
    write_native(source, target)
    return load_folder(str(target))


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def test_weights_keep_their_type_and_the_image_has_a_row(tmp_path: Path) -> None:
    published = published_tensors()
    source = write_published_model(tmp_path / "published", weights=embedding_copies(published), pickled=True)
    florence2 = imported(source, tmp_path / "native")
    stored = weights_of(tmp_path / "native")
    assert {tensor.dtype for tensor in stored.values()} == {torch.float16}
    embedding = stored["model.language_model.shared.weight"]
    assert len(embedding) == 1344  # 1,286 tokens, in a multiple of 64
    assert embedding[: WORDS + 1024].equal(published["language_model.model.shared.weight"])
    assert florence2.model.config.image_token_id == florence2.tokenizer.image_token_id == WORDS + 1024
    assert florence2.model.lm_head.weight is florence2.model.get_input_embeddings().weight
    assert is_published_folder(source)
    assert not is_published_folder(tmp_path / "native")


def test_a_tiny_model_gives_the_numbers_of_the_converter_that_passed_the_oracle(tmp_path: Path) -> None:
    """Two names of the table that are exchanged, such as those of two norms, would change them."""
    florence2: Any = imported(write_published_model(tmp_path / "published"), tmp_path / "native")
    image = Image.fromarray((np.arange(32 * 32 * 3) % 251).astype(np.uint8).reshape(32, 32, 3))
    inputs = encode_prompts(florence2.processor, [image], ["<OD>"])
    model = florence2.model.eval()
    with torch.no_grad():
        features = model.model.get_image_features(inputs["pixel_values"]).pooler_output[0]
        decoder = torch.tensor([[2, 0, 300, 1200]])
        logits = model(**inputs, decoder_input_ids=decoder).logits[0, :, : WORDS + 1024]
    assert inputs["input_ids"][0, 17:25].tolist() == [0, 47, 82, 70, 68, 87, 72, 224]
    close(features[0, :6], [0.1566, 0.2656, -0.3967, -0.0318, -0.037, 0.3108])
    close(features[-1, -6:], [0.1022, -0.4075, 0.1274, 0.0224, 0.0313, -0.2139])
    close(logits.max(dim=-1).values, [1.3475, 1.4659, 1.3499, 1.2783])
    close(logits[:, 7], [-0.0459, -0.1094, -0.0343, 0.0048])


def test_added_rows_are_never_the_best_answer(tmp_path: Path) -> None:
    florence2 = imported(write_published_model(tmp_path / "published"), tmp_path / "native")
    inputs = encode_prompts(florence2.processor, [Image.new("RGB", (40, 30), (90, 10, 200))], ["<OD>"])
    with torch.no_grad():
        logits = florence2.model(**inputs, decoder_input_ids=torch.tensor([[2, 0, 400]])).logits
    ours, added = logits[..., : WORDS + 1024], logits[..., WORDS + 1024 :]
    assert torch.allclose(added, ours.mean(dim=-1, keepdim=True), atol=1e-3)


@pytest.mark.parametrize("base", ["builtin:nano", "builtin:small", "published"])
def test_native_to_microsoft_to_native_changes_no_bit(base: str, tmp_path: Path) -> None:
    before = (
        imported(write_published_model(tmp_path / "published"), tmp_path / "native")
        if base == "published"
        else load_base(ModelConfig(base=base))
    )
    before.record_classes(["ace of clubs"])
    add_tasks(before, OWN)
    (tmp_path / "out").mkdir()
    write_published(before, tmp_path / "out", "float32")
    after = imported(tmp_path / "out", tmp_path / "again")
    assert_same(before, after)


def assert_same(before: Florence2, after: Florence2) -> None:
    ours, theirs = before.model.state_dict(), after.model.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(ours[name].equal(theirs[name]) for name in ours)
    assert before.tokenizer.get_vocab() == after.tokenizer.get_vocab()
    assert before.trained_classes == after.trained_classes
    assert before.tasks == after.tasks
    image = Image.effect_mandelbrot((90, 70), (-2, -1.5, 1, 1.5), 40).convert("RGB")
    inputs = [
        encode_prompts(model.processor, [image] * 2, ["<VQA>how many?", "<RECEIPT>"]) for model in (before, after)
    ]
    assert all(inputs[0][name].equal(inputs[1][name]) for name in inputs[0])


def test_an_export_has_the_files_and_names_of_microsoft(tmp_path: Path) -> None:
    write_published(load_base(ModelConfig(base="builtin:nano")), tmp_path, "float16")
    names = set(weights_of(tmp_path))
    assert "image_projection" in names
    assert "vision_tower.blocks.2.1.channel_block.ffn.fn.net.fc2.weight" in names
    assert "language_model.final_logits_bias" in names
    assert not [name for name in names if "embed_tokens" in name or "lm_head" in name]
    assert json.loads((tmp_path / "config.json").read_text())["text_config"]["model_type"] == "florence2_language"
    assert {file.name for file in tmp_path.iterdir()} == {
        *("added_tokens.json", "config.json", "generation_config.json", "merges.txt", "model.safetensors"),
        *("preprocessor_config.json", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json"),
        "vocab.json",
    }


def test_the_files_without_weights_are_the_same(tmp_path: Path) -> None:
    source = write_published_model(tmp_path / "published")
    imported(source, tmp_path / "native")
    (source / "model.safetensors").unlink()
    (tmp_path / "files").mkdir()
    write_native_files(source, tmp_path / "files")
    for name in ("tokenizer.json", "tokenizer_config.json", "processor_config.json"):
        assert (tmp_path / "files" / name).read_text() == (tmp_path / "native" / name).read_text()
    with pytest.raises(ModelError, match="no weights"):
        write_native(source, tmp_path / "files")
    write_published_model(source, config=changed(vocab_size="many"))
    with pytest.raises(ModelError, match=r"config\.json: text_config\.vocab_size is 'many'; it must be a whole number"):
        write_native_files(source, tmp_path / "files")


def changed(**text: Any) -> dict[str, Any]:
    return CONFIG | {"text_config": CONFIG["text_config"] | text}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (changed(vocab_size=1300), r"config\.json: text_config\.vocab_size is 1300, and the embedding has 1285 rows"),
        (
            changed(encoder_ffn_dim=64),
            r"encoder\.layers\.0\.fc1\.bias is 48 and must be 64.*give the files of one model",
        ),
        (changed(decoder_layers=2), r"decoder\.layers\.1\.\S+ is missing"),
        (changed(encoder_attention_heads=5), r"config\.json: there is no model of this configuration"),
        (changed(max_position_embeddings="many"), r"config\.json: there is no model of this configuration"),
        (CONFIG | {"vision_config": CONFIG["vision_config"] | {"depths": [1, 1]}}, r"blocks\.1\.1\S+ is not expected"),
    ],
)
def test_a_configuration_that_does_not_fit_the_weights_is_named(
    config: dict[str, Any], message: str, tmp_path: Path
) -> None:
    source = write_published_model(tmp_path / "published", config=config)
    with pytest.raises(ModelError, match=message):
        imported(source, tmp_path / "native")
    assert not list((tmp_path / "native").iterdir())


@pytest.mark.parametrize("rows", [1200, 1284, 1400])
def test_a_vocabulary_of_another_size_is_named(rows: int, tmp_path: Path) -> None:
    source = write_published_model(
        tmp_path / "published", weights=published_tensors(rows), config=changed(vocab_size=rows)
    )
    with pytest.raises(ModelError, match=f"the tokenizer has 1285 tokens, .* the embedding has {rows} rows"):
        imported(source, tmp_path / "native")


@pytest.mark.parametrize("rows", [1288, 1344])
def test_a_padded_vocabulary_is_accepted_and_the_image_gets_a_row_of_it(rows: int, tmp_path: Path) -> None:
    source = write_published_model(
        tmp_path / "published", weights=published_tensors(rows), config=changed(vocab_size=rows)
    )
    assert len(imported(source, tmp_path / "native").model.lm_head.weight) == rows


@pytest.mark.parametrize("name", ["preprocessor_config.json", "tokenizer.json"])
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    source = write_published_model(tmp_path / "published")
    (source / name).unlink()
    with pytest.raises(ModelError, match=f"{name}|has no tokenizer"):
        imported(source, tmp_path / "native")


def test_damaged_and_strange_files_are_named(tmp_path: Path) -> None:
    source = write_published_model(tmp_path / "published")
    (source / "preprocessor_config.json").write_text("[]")
    with pytest.raises(ModelError, match="holds no settings"):
        imported(source, tmp_path / "a")
    (source / "preprocessor_config.json").write_text("{")
    with pytest.raises(ModelError, match=r"preprocessor_config\.json: cannot be read"):
        imported(source, tmp_path / "b")
    rest = published_tensors()
    del rest["language_model.model.shared.weight"]
    save_file(rest, source / "model.safetensors")
    write_published_model(tmp_path / "whole")
    (source / "preprocessor_config.json").write_bytes((tmp_path / "whole" / "preprocessor_config.json").read_bytes())
    with pytest.raises(ModelError, match=r"language_model\.model\.shared\.weight is missing"):
        imported(source, tmp_path / "c")


@pytest.mark.skipif(not CASES, reason="FLORENCE2_LEGACY_ORACLE names no folder with models and their expected.json")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_model_answers_as_microsofts_code_does(case: Path, tmp_path: Path) -> None:
    expected = json.loads((case / "expected.json").read_text())
    florence2 = imported(case, tmp_path / "native")
    names = {"<loc_0>": "loc_0", "<loc_999>": "loc_999", "<and>": "and"}
    assert {key: florence2.tokenizer.convert_tokens_to_ids(token) for token, key in names.items()} == {
        key: expected[key] for key in names.values()
    }
    image = Image.open(case / "image.png").convert("RGB")
    model: Any = florence2.model.eval()
    for prompt in expected["cases"]:
        inputs = encode_prompts(florence2.processor, [image], [prompt["prompt"]])
        features = expected["image_features"]
        assert inputs["input_ids"][0].tolist()[features["shape"][1] :] == prompt["question_ids"]
        with torch.no_grad():
            found = model.model.get_image_features(inputs["pixel_values"]).pooler_output
            decoder = torch.tensor([prompt["decoder_input_ids"]])
            logits = model(**inputs, decoder_input_ids=decoder).logits[0, :, : expected["vocabulary"]]
        close(found.flatten()[:8], features["first_8"])
        close(found.flatten()[-8:], features["last_8"])
        close(torch.stack([found.mean(), found.std()]), [features["mean"], features["std"]])
        close(logits.max(dim=-1).values, prompt["logits_max"])
        close(logits.mean(dim=-1), prompt["logits_mean"])
        close(logits[:, :8], prompt["logits_first_8"])
        assert logits.argmax(dim=-1).tolist() == prompt["logits_argmax"]
    (tmp_path / "out").mkdir()
    write_published(florence2, tmp_path / "out", "float32")
    assert_same(florence2, imported(tmp_path / "out", tmp_path / "again"))


@pytest.mark.skipif(not CASES, reason="FLORENCE2_LEGACY_ORACLE names no folder with models and their expected.json")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_export_has_the_names_of_the_original(case: Path, tmp_path: Path) -> None:
    florence2 = imported(case, tmp_path / "native")
    (tmp_path / "out").mkdir()
    write_published(florence2, tmp_path / "out", "float16")
    original, found = embedding_copies(read_weights(case)), weights_of(tmp_path / "out")
    copies = embedding_copies(found)
    assert copies.keys() == original.keys()
    changed = [name for name in original if not copies[name][: len(original[name])].equal(original[name])]
    assert changed == ["language_model.final_logits_bias"], "it has a column for each row of the embedding"


def close(found: torch.Tensor, expected: Any) -> None:
    assert torch.allclose(found, torch.tensor(expected), atol=1e-4, rtol=0)
