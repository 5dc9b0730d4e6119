"""The configuration of one layout is that of the other."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from transformers import Florence2Config, Florence2VisionConfig

from florence2.errors import ModelError
from florence2.model.base import BUILTIN_MODELS
from florence2.model.microsoft.config import (
    image_tokens,
    is_published,
    is_tied,
    native_config,
    native_image_processor,
    published_config,
    published_image_processor,
)
from tests.published import CONFIG

_RECORDS = {"own_tasks": [{"token": "<RECEIPT>"}], "trained_classes": ["ace", "king"]}


def native(**vision: Any) -> dict[str, Any]:
    return native_config(CONFIG | {"vision_config": CONFIG["vision_config"] | vision}, 1285, 1344, "config.json")


def test_a_configuration_shows_its_layout() -> None:
    builtin = json.loads((BUILTIN_MODELS["builtin:nano"] / "config.json").read_text())
    saved = {"model_type": "florence2", "text_config": {}, "vision_config": {"model_type": "florence2_vision"}}
    assert is_published(CONFIG)
    assert is_published(saved)
    assert not is_published(builtin)
    assert not is_published({"model_type": "bart"})
    assert not is_published([])
    assert not is_published(CONFIG | {"text_config": 3})


@pytest.mark.parametrize("name", ["builtin:nano", "builtin:small"])
def test_a_native_configuration_returns_unchanged(name: str) -> None:
    before = json.loads((BUILTIN_MODELS[name] / "config.json").read_text()) | _RECORDS
    text = before["text_config"]
    there = published_config(before, before["dtype"])
    after = native_config(there, before["image_token_id"], text["vocab_size"], "config.json")
    ours, theirs = (Florence2Config.from_dict(copy.deepcopy(config)).to_dict() for config in (before, after))
    for config in (ours, theirs):
        config.pop("transformers_version")
    assert ours == theirs
    assert is_published(there)
    assert there["vocab_size"] == text["vocab_size"]


def test_what_a_file_leaves_out_has_the_default_of_microsofts_code() -> None:
    """``save_pretrained`` writes what differs from the defaults: of a large model nearly nothing."""
    vision = {name: CONFIG["vision_config"][name] for name in ("visual_temporal_embedding", "image_pos_embed")}
    saved = {"model_type": "florence2", "text_config": {"model_type": "florence2_language"}, "vision_config": vision}
    found = native_config(saved, 51289, 51328, "config.json")
    assert found["vision_config"]["embed_dim"] == [256, 512, 1024, 2048]
    assert found["text_config"]["encoder_layers"] == 12
    assert found["vision_config"].keys() - {"model_type"} <= Florence2VisionConfig().to_dict().keys()


@pytest.mark.parametrize(
    ("vision", "message"),
    [
        (
            {"image_pos_embed": None},
            "image_pos_embed is missing; .*only the type learned_abs_2d with max_pos_embeddings",
        ),
        ({"visual_temporal_embedding": {"type": "LEARNED"}}, "only the type COSINE"),
        ({"image_feature_source": ["last_frame"]}, "image_feature_source is"),
        ({"projection_dim": 16}, "the projector gives 16 values .* takes 32"),
        ({"image_pos_embed": {"type": "learned_abs_2d", "max_pos_embeddings": "6"}}, "with max_pos_embeddings"),
        ({"num_heads": [2]}, r"num_heads is \[2\]; it must have a whole number for each of the 2 stages"),
        ({"patch_size": ["7", "3"]}, "patch_size is"),
    ],
)
def test_what_native_florence_has_not_is_named(vision: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=f"^config.json: .*{message}"):
        native(**vision)


def test_what_microsofts_code_has_not_is_named() -> None:
    changed = native()
    changed["vision_config"]["mlp_ratio"] = 2.0
    with pytest.raises(ModelError, match=r"mlp_ratio is 2\.0, and Microsoft's code has 4\.0 alone"):
        published_config(changed, "float32")


@pytest.mark.parametrize("change", [{"tie_word_embeddings": False}, {"text_config": {"tie_word_embeddings": False}}])
def test_an_output_head_of_its_own_may_be_stated_at_either_level(change: dict[str, Any]) -> None:
    found = native_config(
        CONFIG | change | {"text_config": CONFIG["text_config"] | change.get("text_config", {})}, 1285, 1344, "a"
    )
    assert not is_tied(found)
    assert found["text_config"]["tie_word_embeddings"], "the encoder and the decoder still share the embedding"


def test_an_image_becomes_a_token_for_each_cell_and_one_for_their_mean() -> None:
    for name, side in (("builtin:nano", 64), ("builtin:small", 128)):
        config = json.loads((BUILTIN_MODELS[name] / "config.json").read_text())
        processor = json.loads((BUILTIN_MODELS[name] / "processor_config.json").read_text())
        expected = processor["image_processor"]["image_seq_length"]
        assert image_tokens(config, {"height": side, "width": side}, "a") == expected
    with pytest.raises(ModelError, match=r"images of 64 x 32 pixels become 8 x 4 cells, .* 1 to 6"):
        image_tokens(native(), {"height": 32, "width": 64}, "a")


def test_the_image_processor_keeps_what_changes_pixels() -> None:
    images = {"size": {"height": 32, "width": 32}, "image_mean": [0.1, 0.2, 0.3], "resample": 2, "image_seq_length": 17}
    found = native_image_processor(images, native(), "a")["image_processor"]
    assert {name: found[name] for name in images} == images
    assert {name: published_image_processor(found)[name] for name in images} == images


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": {"shortest_edge": 32}}, "a height and a width"),
        ({"size": {"height": "32", "width": 32}}, "in pixels"),
        ({"image_seq_length": 577}, "577.* become 17 tokens"),
    ],
)
def test_a_size_that_does_not_fit_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        native_image_processor({"size": {"height": 32, "width": 32}} | change, native(), "a")
