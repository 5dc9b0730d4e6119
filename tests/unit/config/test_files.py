"""Settings in YAML files: both forms, and the errors for wrong keys."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import yaml

from florence2.config import Configuration, PredictionConfiguration
from florence2.config.files import read_sections
from florence2.errors import ConfigurationError
from tests import ROOT

CONFIGS = ROOT / "configs"


def written(folder: Path, text: str) -> Path:
    file = folder / "my.yaml"
    file.write_text(text)
    return file


def test_sections_stand_at_the_top_or_under_parameters(tmp_path: Path) -> None:
    bare = read_sections(written(tmp_path, "training: {epochs: 3}"), Configuration)
    nested = read_sections(written(tmp_path, "parameters: {training: {epochs: 3}}"), Configuration)
    assert bare == nested == {"training": {"epochs": 3}}
    assert read_sections(written(tmp_path, ""), Configuration) == {}


@pytest.mark.parametrize("name", ["quickstart", "detection_lora", "detection_full", "vqa", "retrain"])
def test_the_files_of_the_pipeline_are_accepted(name: str) -> None:
    file = CONFIGS / f"{name}.yaml"
    assert read_sections(file, Configuration) == yaml.safe_load(file.read_text())["parameters"]


def test_the_configuration_is_the_one_that_has_the_sections() -> None:
    sections = read_sections(CONFIGS / "predict.yaml", Configuration, PredictionConfiguration)
    assert sections["images"]["prefix"] == "<OD>"
    with pytest.raises(ConfigurationError, match="images: unknown key"):
        read_sections(CONFIGS / "predict.yaml", Configuration)


def test_keys_that_only_zenml_reads_are_listed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    read_sections(written(tmp_path, "enable_cache: false\nparameters: {}"), Configuration)
    assert "only parameters is read here; not: enable_cache" in caplog.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("training: {epohcs: 3}", r"my\.yaml: .*training\.epohcs: unknown key; did you mean 'epochs'"),
        ("trainig: {epochs: 3}", r"my\.yaml: .*trainig: unknown key; did you mean 'training'"),
        ("paramters: {training: {epochs: 3}}", r"my\.yaml: paramters: unknown key; did you mean 'parameters'"),
        ("epochs: 3", r"my\.yaml: epochs: write it as training\.epochs"),
        ("lr: 0.1", r"my\.yaml: lr: write it as training\.learning_rate"),
        ("parameters: {lr: 0.1}", r"my\.yaml: parameters\.lr: write it as parameters\.training\.learning_rate"),
        ("dataset: D", r"my\.yaml: dataset: write it as dataset\.source: D"),
        ("device: cpu", r"my\.yaml: device: is not a setting: .*CUDA_VISIBLE_DEVICES"),
        ("[1]", r"my\.yaml: must be a mapping"),
        ("1: 2", r"my\.yaml: must be a mapping of sections"),
        ("parameters: 3", r"my\.yaml: parameters: must be a mapping of sections, not 3"),
        ("a: [", r"my\.yaml: not a YAML file"),
        ("training:\n  epochs: 1\n  epochs: 2", r"not a YAML file: .*'epochs' occurs twice, in lines 2 and 3"),
    ],
)
def test_a_wrong_file_is_reported_with_its_name_and_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"(?s){message}"):
        read_sections(written(tmp_path, text), Configuration)


def test_a_missing_file_is_reported_as_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no\.yaml: cannot be read: No such file"):
        read_sections(tmp_path / "no.yaml", Configuration)


def test_a_long_value_is_shortened_in_the_error(tmp_path: Path) -> None:
    names = ", ".join(f"class{number}" for number in range(5000))
    for text in (f"training: {{epochs: [{names}]}}", f"training: [{names}]", f"parameters: [{names}]"):
        with pytest.raises(ConfigurationError, match=r"class0.*\.\.\.") as caught:
            read_sections(written(tmp_path, text), Configuration)
        assert len(str(caught.value)) < 400


def test_the_earlier_name_of_a_section_is_accepted(tmp_path: Path) -> None:
    file = tmp_path / "predict.yaml"
    file.write_text("parameters:\n  pictures: {folder: photos}\n")
    assert read_sections(file, PredictionConfiguration) == {"images": {"folder": "photos"}}
    file.write_text("parameters:\n  pictures: {folder: photos}\n  images: {folder: photos}\n")
    with pytest.raises(ConfigurationError, match=r"predict.yaml: parameters: pictures: is the earlier name of images"):
        read_sections(file, PredictionConfiguration)
