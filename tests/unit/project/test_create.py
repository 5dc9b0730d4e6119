"""``florence2 init``: what is found in a data set, what is chosen for it, and what is written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from florence2.adapters import great_expectations
from florence2.config import Configuration, DatasetConfig, PromotionConfiguration
from florence2.datasets.splits.frozen_test import load_frozen_test
from florence2.errors import ConfigurationError, DatasetError, ModelError
from florence2.project import Project, create_project
from florence2.project.choices import choices, deciding_score
from florence2.project.survey import Survey, survey
from tests.builders import annotation, write_dataset, write_image, write_lines, write_scenes
from tests.rules import run_rules

CAPTION = "<CAPTION>"


@pytest.fixture(autouse=True)
def evaluate_with_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(great_expectations, "_run_rules", run_rules)


def rows(count: int, prefix: str = "<OD>", suffix: str | None = None) -> list[dict[str, str]]:
    made = [annotation(f"{number}.png", prefix) for number in range(count)]
    return made if suffix is None else [{**row, "suffix": suffix} for row in made]


def settings(project: Project, name: str = "florence.yaml") -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((project.folder / name).read_text())
    assert list(content) == ["parameters"]
    parameters: dict[str, Any] = content["parameters"]
    return parameters


def chosen(data: Path, base: str = "builtin:nano") -> dict[str, Any]:
    config = DatasetConfig(source=str(data))
    return {choice.path: choice.value for choice in choices(survey(config, base), config, base, "m", None)}


def test_every_file_is_read_by_the_configuration_and_holds_what_was_found(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "my data", {"train": rows(6), "valid": rows(2), "test": rows(1)})
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
        {"train": [*rows(5), annotation("bad.png", suffix=outside)], "valid": rows(1), "test": rows(1)},
    )
    write_lines(data / "train" / "annotations.jsonl", [*rows(5), annotation("gone.png"), annotation("0.png", "<ODD>")])
    project = create_project(tmp_path / "project", str(data))
    config = Configuration(**settings(project))
    assert config.validation.rules == {"image-missing": "quarantine", "prefix-without-task": "quarantine"}
    assert config.validation.on_error == "fail"
    assert "Once: There is no such image file. What breaks the rule is left out" in "".join(
        line.strip(" #") + " " for line in (project.folder / "florence.yaml").read_text().splitlines(keepends=True)
    ).replace("\n", "")
    assert "That is very little to train on" in project.found[2]
    assert "image-missing 1 (quarantine)" in project.found[4]


def test_a_box_over_the_edge_is_mended(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "train"
    write_image(folder / "a.png", (100, 100))
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [50, 50, 60, 20], "area": 1, "iscrowd": 0}
    content = {
        "images": [{"id": 1, "file_name": "a.png", "width": 100, "height": 100}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [box],
    }
    for split in ("train", "valid", "test"):
        write_image(tmp_path / "data" / split / "a.png", (100, 100))
        (tmp_path / "data" / split / "_annotations.coco.json").write_text(json.dumps(content))
    found = survey(DatasetConfig(source=str(tmp_path / "data")), "builtin:nano")
    assert {defect.code: defect.outcome for defect in found.defects}["box-outside"] == "repair"


def test_without_a_test_split_one_is_made_and_frozen(tmp_path: Path) -> None:
    data = (write_scenes(tmp_path / "data", 30) / "train").rename(tmp_path / "images")
    project = create_project(tmp_path / "project", str(data))
    config = Configuration(**settings(project))
    assert config.split.test_fraction == config.split.valid_fraction == 0.2
    assert config.split.frozen_test == str(project.folder / "test.json")
    frozen = load_frozen_test(project.folder / "test.json")
    found = survey(config.dataset, "builtin:nano")
    assert found.missing == ("valid", "test")
    assert set(frozen.images) == set(found.rows.select("test").table["sha256"])
    assert PromotionConfiguration(**settings(project, "promote.yaml")).split == config.split


def test_a_given_test_split_is_left_to_the_data_set(tmp_path: Path) -> None:
    data = write_scenes(tmp_path / "data", 10, 3, 3)
    shutil.rmtree(data / "valid")
    project = create_project(tmp_path / "project", str(data))
    split = settings(project)["split"]
    assert list(split) == ["valid_fraction"]
    assert not (project.folder / "test.json").exists()


@pytest.mark.parametrize(
    ("train", "valid", "expected"),
    [
        (7, 2, {"training.epochs": 50, "training.batch_size": 4, "training.best_by": "loss", "training.patience": 10}),
        (900, 60, {"training.epochs": 10, "training.batch_size": 8, "training.best_by": "map50"}),
    ],
)
def test_how_long_and_by_what_depends_on_how_much_there_is(
    tmp_path: Path, train: int, valid: int, expected: Mapping[str, Any]
) -> None:
    data = dataset_of(tmp_path, {"train": train, "valid": valid, "test": 1})
    found = chosen(data)
    assert {path: found.get(path) for path in expected} == expected
    assert ("training.patience" in found) == ("training.patience" in expected)
    text = (create_project(tmp_path / "project", str(data)).folder / "florence.yaml").read_text()
    assert ("Few rows have to be seen often" in text) == ("training.patience" in expected)
    assert "in minutes" not in text, "it is not known how long it takes"


def dataset_of(folder: Path, sizes: Mapping[str, int], prefixes: Sequence[str] = ("<OD>",)) -> Path:
    """Write many rows about few images: what is chosen hangs on the rows."""
    answers = {"<OD>": annotation()["suffix"]}
    lines = {
        split: [
            {"image": "a.png", "prefix": prefix if prefix in answers or prefix == CAPTION else f"{prefix}what {n}?",
             "suffix": answers.get(prefix, f"a word {n}")}
            for n in range(size)
            for prefix in prefixes
        ]
        for split, size in sizes.items()
    }  # fmt: skip
    data = write_dataset(folder / "data", lines)
    for split, color in zip(sizes, ((200, 0, 0), (0, 200, 0), (0, 0, 200)), strict=False):
        write_image(data / split / "a.png", color=color)
    return data


@pytest.mark.parametrize(
    ("prefixes", "best_by", "primary"),
    [
        (["<OD>"], "map50", "map50"),
        (["<VQA>"], "vqa_accuracy", "vqa_accuracy"),
        ([CAPTION], "cider", "cider"),
        (["<OD>", "<VQA>", "<VQA>"], "loss", "vqa_accuracy"),
    ],
)
def test_the_score_that_decides_is_that_of_the_task(
    tmp_path: Path, prefixes: list[str], best_by: str, primary: str
) -> None:
    data = dataset_of(tmp_path, {"train": 3, "valid": 60, "test": 3}, prefixes)
    assert chosen(data)["training.best_by"] == best_by
    found: Survey = survey(DatasetConfig(source=str(data)), "builtin:nano")
    assert deciding_score(found) == primary


def test_answers_have_room_for_the_longest_of_the_data(tmp_path: Path) -> None:
    data = dataset_of(tmp_path, {"train": 3, "valid": 3, "test": 3})
    assert chosen(data)["evaluation.max_new_tokens"] == 32
    assert chosen(data)["evaluation.eval_batch_size"] == 64


def test_nothing_is_overwritten_and_what_others_wrote_is_kept(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", {"train": rows(3), "valid": rows(1), "test": rows(1)})
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


def test_data_that_lie_in_the_project_are_found(tmp_path: Path) -> None:
    write_dataset(tmp_path / "project" / "data", {"train": rows(3), "valid": rows(1), "test": rows(1)})
    project = create_project(tmp_path / "project")
    assert Configuration(**settings(project)).dataset.source == str(tmp_path / "project" / "data")


def test_what_cannot_be_found_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", {"train": rows(3), "valid": rows(1), "test": rows(1)})
    (tmp_path / "file").write_text("")
    folder = tmp_path / "project"
    with pytest.raises(DatasetError, match=r"no data set lies there; name it: --dataset"):
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


def test_a_folder_with_a_line_break_in_its_name_stays_in_the_comments(tmp_path: Path) -> None:
    data = dataset_of(tmp_path / "data", {"train": 4, "valid": 2, "test": 2})
    project = create_project(tmp_path / "my\nx: [", str(data))
    assert settings(project)["dataset"]["source"] == str(data)
    assert set(settings(project, "promote.yaml")) >= {"dataset"}
