"""``create_project``: the files that are written, and what is never overwritten."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from florence2.config import Configuration, ModelConfig, PromotionConfiguration
from florence2.datasets.splits.frozen_test import load_frozen_test
from florence2.errors import ConfigurationError, DatasetError, ModelError
from florence2.project import create_project
from florence2.project.survey import survey
from tests.builders import annotation, write_dataset, write_lines, write_scenes
from tests.unit.project.projects import dataset_of, samples, settings


def test_every_file_is_read_by_the_configuration_and_holds_what_was_found(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "my data", {"train": samples(6), "valid": samples(2), "test": samples(1)})
    project = create_project(tmp_path / "cats & dogs", str(data))
    assert project.written == ("florence.yaml", "promote.yaml", "README.md", ".gitignore")
    config = Configuration(**settings(project))
    assert config.dataset.source == str(data)
    assert config.dataset.format == "jsonl"
    assert config.registration.model_name == "cats-dogs"
    promotion = PromotionConfiguration(**settings(project, "promote.yaml"))
    assert promotion.promotion.primary == "map50"
    assert promotion.evaluation == config.evaluation
    text = (project.folder / "florence.yaml").read_text()
    # The line is broken where the path of the data is long.
    assert "9 images of 20 x 10 pixels" in text.replace("\n#", "")
    assert "1 class, with boxes: cat 9." in text
    assert f"florence2 train --config '{project.folder}/florence.yaml'" in text
    assert "runs/" in (project.folder / ".gitignore").read_text()
    assert "florence2 train --config florence.yaml" in (project.folder / "README.md").read_text()


def test_a_training_runs_from_it(tmp_path: Path) -> None:
    from florence2 import train

    data = write_scenes(tmp_path / "data", 4, 2, 2)
    parameters = settings(create_project(tmp_path / "project", str(data)))
    parameters["training"] |= {"epochs": 1, "preview": 0}
    parameters["evaluation"] |= {"max_new_tokens": 8}
    result = train(Configuration(**parameters), tmp_path / "runs")
    assert "map50" in result.report.after.metrics


def test_what_breaks_a_rule_has_an_outcome_with_which_the_data_can_be_used(tmp_path: Path) -> None:
    outside = "cat<loc_1><loc_2><loc_3>"
    data = write_dataset(
        tmp_path / "data",
        {"train": [*samples(5), annotation("bad.png", suffix=outside)], "valid": samples(1), "test": samples(1)},
    )
    write_lines(
        data / "train" / "annotations.jsonl", [*samples(5), annotation("gone.png"), annotation("0.png", "<ODD>")]
    )
    project = create_project(tmp_path / "project", str(data))
    config = Configuration(**settings(project))
    assert config.validation.rules == {"image-missing": "quarantine", "prefix-without-task": "quarantine"}
    assert config.validation.on_error == "fail"
    assert "Once: There is no such image file. What breaks the rule is left out" in "".join(
        line.strip(" #") + " " for line in (project.folder / "florence.yaml").read_text().splitlines(keepends=True)
    ).replace("\n", "")
    assert "That is very little to train on" in project.found[2]
    assert "image-missing 1 (quarantine)" in project.found[4]


def test_without_a_test_split_one_is_made_and_frozen(tmp_path: Path) -> None:
    data = (write_scenes(tmp_path / "data", 30) / "train").rename(tmp_path / "images")
    project = create_project(tmp_path / "project", str(data))
    config = Configuration(**settings(project))
    assert config.split.test_fraction == config.split.valid_fraction == 0.2
    assert config.split.frozen_test == str(project.folder / "test.json")
    frozen = load_frozen_test(project.folder / "test.json")
    found = survey(config.dataset, ModelConfig(base="builtin:nano"))
    assert found.missing == ("valid", "test")
    assert set(frozen.images) == set(found.manifest.select("test").table["sha256"])
    assert PromotionConfiguration(**settings(project, "promote.yaml")).split == config.split


def test_a_given_test_split_is_left_to_the_data_set(tmp_path: Path) -> None:
    data = write_scenes(tmp_path / "data", 10, 3, 3)
    shutil.rmtree(data / "valid")
    project = create_project(tmp_path / "project", str(data))
    split = settings(project)["split"]
    assert list(split) == ["valid_fraction"]
    assert not (project.folder / "test.json").exists()


def test_nothing_is_overwritten_and_what_others_wrote_is_kept(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", {"train": samples(3), "valid": samples(1), "test": samples(1)})
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / ".gitignore").write_text("mine\n")
    project = create_project(folder, str(data))
    assert project.kept == (".gitignore",)
    assert (folder / ".gitignore").read_text() == "mine\n"
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    with pytest.raises(ConfigurationError, match=r"florence.yaml and promote.yaml are there, and nothing is overwri"):
        create_project(folder, str(data))
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_data_in_the_project_are_found(tmp_path: Path) -> None:
    write_dataset(tmp_path / "project" / "data", {"train": samples(3), "valid": samples(1), "test": samples(1)})
    project = create_project(tmp_path / "project")
    assert Configuration(**settings(project)).dataset.source == str(tmp_path / "project" / "data")


def test_what_cannot_be_found_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", {"train": samples(3), "valid": samples(1), "test": samples(1)})
    (tmp_path / "file").write_text("")
    folder = tmp_path / "project"
    with pytest.raises(DatasetError, match=r"has no data set; give one by --dataset"):
        create_project(folder)
    with pytest.raises(DatasetError, match="no such folder"):
        create_project(folder, str(tmp_path / "nowhere"))
    with pytest.raises(ConfigurationError, match=r"dataset.format"):
        create_project(folder, str(data), format="cocoo")
    with pytest.raises(ModelError, match="unknown base model 'nonsense'"):
        create_project(folder, str(data), base="nonsense")
    with pytest.raises(ConfigurationError, match="is a file; give a folder"):
        create_project(tmp_path / "file", str(data))
    with pytest.raises(ConfigurationError, match="cannot be written"):
        create_project(Path("/proc/florence2"), str(data))
    assert not folder.exists()


def test_a_base_of_the_hub_is_written_without_being_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise ConnectionError("no route")

    monkeypatch.setattr("huggingface_hub.HfApi.model_info", refuse)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    data = dataset_of(tmp_path, {"train": 3, "valid": 3, "test": 3})
    project = create_project(tmp_path / "project", str(data), base="florence-community/Florence-2-base-ft")
    text = (project.folder / "florence.yaml").read_text()
    assert "base: florence-community/Florence-2-base-ft" in text
    assert "counted by the built-in tokenizer" in " ".join(text.split()).replace("# ", "")
    assert "eval_batch_size" not in text


def test_own_tasks_are_written_and_decide(tmp_path: Path) -> None:
    lines = [annotation(f"{n}.png", "<RECEIPT>", f'{{"total": "{n}"}}') for n in range(12)]
    data = write_dataset(tmp_path / "data", {"train": lines})
    project = create_project(tmp_path / "project", str(data), task=["<RECEIPT>=json,new_token"], base="builtin:nano")
    written = Configuration(**settings(project))
    assert written.tasks == Configuration(task=["<RECEIPT>=json,new_token"]).tasks
    assert settings(project, "promote.yaml")["promotion"] == {"primary": "json_field_f1"}
