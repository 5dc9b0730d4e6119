"""The tags of a version: its data, base, code and settings."""

from __future__ import annotations

import hashlib
import json

from florence2.adapters.mlflow.provenance import code_version, split_hash
from florence2.adapters.mlflow.registry import Registry
from florence2.adapters.mlflow.versions import RegisteredModel
from tests.builders import manifest
from tests.registration import held_out, training


def test_the_tags_name_data_base_code_and_scores(registered: RegisteredModel) -> None:
    tags = Registry(registered.tracking_uri, registered.name).tags_of(registered.version)
    assert tags["data_fingerprint"] == training().fingerprint
    assert tags["split_hash"] == split_hash(training(), held_out())
    assert tags["code_version"] == code_version()
    assert tags["base"] == "builtin:nano"
    assert {"base_fingerprint", "checkpoint_fingerprint", "strategy", "lock"} <= tags.keys()
    assert "base_revision" not in tags
    assert (tags["map50_low"], tags["map50"], tags["map50_high"]) == ("0.78", "0.82", "0.86")


def test_the_settings_are_a_file_of_the_version_and_their_hash_is_a_tag(registered: RegisteredModel) -> None:
    registry = Registry(registered.tracking_uri, registered.name)
    text = registry.text_of(registered.version, "configuration.json")
    assert json.loads(text)["training"]["epochs"] == 3
    assert hashlib.sha256(text.encode()).hexdigest() == registry.tags_of(registered.version)["configuration"]


def test_a_split_hash_follows_which_image_is_in_which_split_and_nothing_else() -> None:
    moved = manifest({"split": "valid"}, {"split": "valid"})
    renamed = manifest({"image": "other.png"}, {"split": "valid", "suffix": "dog<loc_1><loc_2><loc_3><loc_4>"})
    assert split_hash(training()) == split_hash(renamed)
    assert split_hash(training()) != split_hash(moved)
