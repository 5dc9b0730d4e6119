"""Bases are found and loaded in one way, and every message names the remedy."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from florence2.config import ModelConfig
from florence2.errors import ModelError
from florence2.model.base import BUILTIN_MODELS, base_fingerprint, check_exact, load_base, load_exact, load_folder
from tests.published import write_published_model

NANO = BUILTIN_MODELS["builtin:nano"]
SHARED = "language_model.model.shared.weight"


def test_the_built_in_base_and_its_folder_are_the_same_model() -> None:
    builtin, folder = load_base(ModelConfig(base="builtin:nano")), load_base(ModelConfig(base=str(NANO)))
    for (name, ours), (_, theirs) in zip(
        builtin.model.state_dict().items(), folder.model.state_dict().items(), strict=True
    ):
        assert torch.equal(ours, theirs), name
    assert base_fingerprint(ModelConfig(base="builtin:nano")) == base_fingerprint(ModelConfig(base=str(NANO)))


def test_weights_are_float32_whatever_the_file_holds() -> None:
    assert {parameter.dtype for parameter in load_base(ModelConfig(base="builtin:nano")).model.parameters()} == {
        torch.float32
    }


def test_a_changed_weight_changes_the_fingerprint(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(NANO, tmp_path / "copy"))
    before = base_fingerprint(ModelConfig(base=str(copy)))
    weights = bytearray((copy / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (copy / "model.safetensors").write_bytes(weights)
    assert base_fingerprint(ModelConfig(base=str(copy))) != before


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("builtin:giant", "unknown built-in model 'builtin:giant'; there is: builtin:nano, builtin:small"),
        (
            "no-such-model",
            "unknown base model 'no-such-model'.*give builtin:nano, builtin:small, a folder, or a hub id",
        ),
        ("./no/such/folder", "no folder of that name"),
    ],
)
def test_an_unknown_base_names_what_to_use(base: str, message: str) -> None:
    for use in (base_fingerprint, load_base):
        with pytest.raises(ModelError, match=message):
            use(ModelConfig(base=base))


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"{re.escape(str(tmp_path))} is a folder without a config.json"):
        load_base(ModelConfig(base=str(tmp_path)))


def test_a_folder_that_is_gone_is_reported_as_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="gone' cannot be loaded: there is no such folder"):
        load_folder(str(tmp_path / "gone"))


def test_a_folder_of_microsofts_layout_is_loaded_and_its_fingerprint_is_that_of_its_own_content(tmp_path: Path) -> None:
    folder = write_published_model(tmp_path / "published")
    config = ModelConfig(base=str(folder))
    before = base_fingerprint(config)
    model = load_exact(config, before).model
    assert model.name_or_path == str(folder)
    assert model.lm_head.weight[0].equal(load_file(folder / "model.safetensors")[SHARED][0].float())
    assert base_fingerprint(config) == before
    (folder / "preprocessor_config.json").write_text("{}")
    assert base_fingerprint(config) != before
    with pytest.raises(ModelError, match=r"preprocessor_config\.json: size is None"):
        load_base(config)


def test_missing_weights_are_named_and_never_random(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(NANO, tmp_path / "copy"))
    weights = load_file(copy / "model.safetensors")
    del weights["model.multi_modal_projector.image_projection.weight"]
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"not a complete native Florence-2: 1 weights .*image_projection"):
        load_base(ModelConfig(base=str(copy)))


def test_published_settings_of_the_decoding_are_ignored(tmp_path: Path) -> None:
    """Florence-2 is published with three beams and no repeated trigram, which forbids a second box of a class."""
    copy = Path(shutil.copytree(NANO, tmp_path / "copy"))
    settings = json.loads((copy / "generation_config.json").read_text())
    settings |= {"num_beams": 3, "no_repeat_ngram_size": 3, "early_stopping": True, "forced_eos_token_id": 2}
    (copy / "generation_config.json").write_text(json.dumps(settings))
    decoding = load_base(ModelConfig(base=str(copy))).model.generation_config
    assert decoding.num_beams in (None, 1)
    assert not decoding.no_repeat_ngram_size
    assert decoding.forced_eos_token_id is None


def test_an_exact_load_refuses_a_base_that_has_changed() -> None:
    config = ModelConfig(base="builtin:nano")
    load_exact(config, base_fingerprint(config))
    check_exact(config, base_fingerprint(config))
    for refuse in (load_exact, check_exact):
        with pytest.raises(ModelError, match=r"has changed.*restore that base or train again"):
            refuse(config, "0" * 64)


def test_a_base_that_is_gone_is_found_missing_without_loading_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no folder of that name"):
        check_exact(ModelConfig(base=str(tmp_path / "gone")), "0" * 64)


def test_damaged_weights_are_a_model_error(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(NANO, tmp_path / "copy"))
    (copy / "model.safetensors").write_bytes(b"not safetensors")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_base(ModelConfig(base=str(copy)))


def test_a_hub_that_cannot_be_reached_is_a_model_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise ConnectionError("no route")

    monkeypatch.setattr("huggingface_hub.HfApi.model_info", refuse)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match=r"unknown base model 'some/model'.*hub cannot be reached"):
        base_fingerprint(ModelConfig(base="some/model"))


def test_a_copy_of_the_library_without_the_built_in_weights_names_its_origin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BUILTIN_MODELS, "builtin:nano", tmp_path / "nano")
    for use in (base_fingerprint, load_base):
        with pytest.raises(ModelError, match=r"builtin:nano: .* copy of the library that came with a registered model"):
            use(ModelConfig(base="builtin:nano"))


def test_a_model_of_another_architecture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bart", "architectures": ["BartModel"]}')
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_base(ModelConfig(base=str(tmp_path)))
