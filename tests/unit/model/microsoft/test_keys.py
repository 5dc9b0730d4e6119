"""Names and weights go from one layout to the other and back without a change."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from florence2.errors import ModelError
from florence2.model.microsoft.keys import TABLE, native_weights, published_weights, to_microsoft, to_native
from tests.published import embedding_copies, published_tensors

names = st.builds(
    lambda row, numbers, rest: tuple(
        "".join(part + str(numbers[index]) for index, part in enumerate(name.split("#")[:-1]))
        + name.split("#")[-1]
        + rest
        for name in row
    ),
    st.sampled_from(TABLE),
    st.lists(st.integers(0, 40), min_size=3, max_size=3),
    st.from_regex(r"(\.[a-z_0-9]{1,9}){0,3}", fullmatch=True),
)


@given(names)
def test_names_are_inverse_to_each_other(pair: tuple[str, str]) -> None:
    old, new = pair
    found = to_native(old)
    assert found is not None
    assert to_microsoft(found) == old
    back = to_microsoft(new)
    assert back is not None
    assert to_native(back) == new


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("vision_tower.convs.2.proj.bias", "model.vision_tower.convs.2.conv.bias"),
        (
            "vision_tower.blocks.2.8.channel_block.channel_attn.fn.qkv.weight",
            "model.vision_tower.blocks.2.8.channel_block.channel_attn.qkv.weight",
        ),
        (
            "vision_tower.blocks.0.0.spatial_block.ffn.norm.bias",
            "model.vision_tower.blocks.0.0.spatial_block.norm2.bias",
        ),
        (
            "language_model.model.decoder.layers.11.encoder_attn.out_proj",
            "model.language_model.decoder.layers.11.encoder_attn.out_proj",
        ),
        ("language_model.lm_head.weight", "lm_head.weight"),
    ],
)
def test_names_of_both_layouts(old: str, new: str) -> None:
    assert to_native(old) == new
    assert to_microsoft(new) == old


@pytest.mark.parametrize("name", ["vision_tower.convs.x.proj", "language_model.modelled", "encoder.layers.0", ""])
def test_a_name_of_neither_layout_has_no_other(name: str) -> None:
    assert to_native(name) is None
    assert to_microsoft(name) is None


def test_weights_return_unchanged_with_the_embedding_once() -> None:
    before = published_tensors()
    for stored in (before, embedding_copies(before)):
        after = published_weights(native_weights(stored, "a"))
        assert after.keys() == before.keys()
        assert all(after[name].equal(before[name]) for name in before)


def test_the_projection_is_transposed() -> None:
    before = published_tensors()
    new = native_weights(before, "a")["model.multi_modal_projector.image_projection.weight"]
    assert new.equal(before["image_projection"].T)


def test_an_output_head_of_its_own_is_kept_where_the_configuration_unties_it() -> None:
    before = embedding_copies(published_tensors())
    before["language_model.lm_head.weight"] = before["language_model.lm_head.weight"] + 1
    with pytest.raises(ModelError, match=r"lm_head\.weight differs from .*shared.*set tie_word_embeddings to false"):
        native_weights(before, "a")
    native = native_weights(before, "a", tied=False)
    assert native["lm_head.weight"].equal(before["language_model.lm_head.weight"])
    copies = {f"model.language_model.{half}.embed_tokens.weight": torch.zeros(1) for half in ("encoder", "decoder")}
    after = published_weights(native | copies, tied=False)
    assert after.keys() == before.keys()
    assert after["language_model.lm_head.weight"].equal(native["lm_head.weight"])


def test_what_has_no_equivalent_is_named() -> None:
    before = published_tensors()
    biased = before | {"language_model.final_logits_bias": torch.full((1, 1285), 0.5)}
    with pytest.raises(ModelError, match="final_logits_bias is not zero"):
        native_weights(biased, "a")
    with pytest.raises(ModelError, match=r"a: vision_tower\.head\.weight is no weight of Florence-2"):
        native_weights(before | {"vision_tower.head.weight": torch.zeros(1)}, "a")
    with pytest.raises(ModelError, match=r"embed_tokens\.weight differs"):
        name = "language_model.model.encoder.embed_tokens.weight"
        native_weights(before | {name: torch.zeros(2, 2)}, "a")
    with pytest.raises(ModelError, match="base_layer has no equivalent"):
        published_weights({"model.base_layer": torch.zeros(1)})
