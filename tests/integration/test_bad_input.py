"""A bad input ends in a message with location, value and remedy, exit status 1, and nothing registered."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.builders import annotation, write_dataset, write_scenes
from tests.integration.project import Outcome, Project

GOOD = annotation("good.png")
BOX = "cat<loc_1><loc_2><loc_3><loc_4>"


def _rows(*lines: dict[str, str] | str) -> Callable[[Path], dict[str, Any]]:
    """Write a set whose training split holds a good line and then these."""

    def write(root: Path) -> dict[str, Any]:
        good = {"valid": [annotation("v.png")], "test": [annotation("t.png")]}
        write_dataset(root, {"train": [GOOD, *lines], **good})
        return {"dataset": {"source": str(root)}}

    return write


def _missing_image(root: Path) -> dict[str, Any]:
    config = _rows(annotation("gone.png"))(root)
    (root / "train" / "gone.png").unlink()
    return config


def _unreadable_image(root: Path) -> dict[str, Any]:
    config = _rows(annotation("broken.png"))(root)
    (root / "train" / "broken.png").write_bytes(b"no image")
    return config


def _no_annotations(root: Path) -> dict[str, Any]:
    (root / "train").mkdir(parents=True)
    return {"dataset": {"source": str(root)}}


def _setting(**sections: Any) -> Callable[[Path], dict[str, Any]]:
    return lambda root: {"dataset": {"source": str(write_scenes(root))}, **sections}


CASES: dict[str, tuple[Callable[[Path], dict[str, Any]], str]] = {
    "missing-folder": (
        lambda root: {"dataset": {"source": str(root / "none")}},
        r"none.*no such folder|none.*not exist",
    ),
    "missing-annotations": (_no_annotations, r"annotations\.jsonl"),
    "malformed-json": (_rows('{"image": '), r"train/annotations\.jsonl:2: .*JSON"),
    "missing-image": (_missing_image, r"train/annotations\.jsonl:2: .*gone\.png"),
    "unreadable-image": (_unreadable_image, r"train/annotations\.jsonl:2: .*broken\.png"),
    "loc-1000": (
        _rows(annotation(suffix="cat<loc_1><loc_2><loc_3><loc_1000>")),
        r"train/annotations\.jsonl:2: .*<loc_1000>",
    ),
    "three-locations": (_rows(annotation(suffix="cat<loc_1><loc_2><loc_3>")), r"annotations\.jsonl:2: .*3 location"),
    "inverted-box": (
        _rows(annotation(suffix="cat<loc_9><loc_2><loc_3><loc_4>")),
        r"train/annotations\.jsonl:2: .*x_min 9 > x_max 3",
    ),
    "empty-suffix": (_rows(annotation(suffix="")), r"train/annotations\.jsonl:2: "),
    "unknown-key": (_setting(training={"epohcs": 3}), r"training\.epohcs: unknown key; did you mean 'epochs'"),
    "unknown-section": (_setting(trianing={}), r"trianing: unknown key; did you mean 'training'"),
    "epochs-0": (_setting(training={"epochs": 0}), r"training\.epochs: .* not 0"),
    "unknown-base": (_setting(model={"base": "no-such-model"}), r"unknown base model 'no-such-model'"),
    "reserved-token": (_rows(annotation(prefix="<CAPTION>", suffix="a</s>b")), r"annotations\.jsonl:2: .*</s>"),
    "no-section": (_setting(epochs=3), r"parameters\.epochs: write it as parameters\.training\.epochs"),
    "unknown-metric": (_setting(evaluation={"metrics": ["meen_average_precision"]}), r"did you mean 'mean_average"),
}


def registered_models(project: Project) -> str:
    code = "from zenml.client import Client; r = Client().active_stack.model_registry; print('N', len(r.list_models()))"
    return project.execute(["python", "-c", code]).stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def registered_before(project: Project) -> str:
    """The models that other tests have registered."""
    return registered_models(project)


@pytest.fixture(scope="module")
def outcomes(
    project: Project,
    registered_before: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Outcome]:
    configs = {name: write(tmp_path_factory.mktemp(name) / "data") for name, (write, _) in CASES.items()}
    return project.run_all(configs)


@pytest.mark.parametrize("name", CASES)
def test_it_ends_with_a_message_and_status_1(outcomes: dict[str, Outcome], name: str) -> None:
    outcome = outcomes[name]
    assert outcome.status == 1, outcome.output
    assert re.search(CASES[name][1], outcome.output), outcome.output
    assert "Traceback" not in outcome.output


def test_nothing_was_registered(project: Project, registered_before: str, outcomes: dict[str, Outcome]) -> None:
    assert len(outcomes) == len(CASES)
    assert registered_models(project) == registered_before
    assert registered_before.startswith("N ")


def test_the_data_docs_of_a_failed_validation_are_kept(project: Project, outcomes: dict[str, Outcome]) -> None:
    assert outcomes["loc-1000"].status == 1
    pages = [page.read_text() for page in (project.root / ".store").rglob("data_docs.html")]
    assert any("loc_1000" in page for page in pages)


def test_the_literal_command_ends_the_same_way(project: Project, tmp_path: Path) -> None:
    outcome = project.run("literal", {"dataset": {"source": str(tmp_path / "none")}})
    assert outcome.status == 1
    assert "error: " in outcome.output
    assert "Traceback" not in outcome.output


def test_a_key_outside_the_parameters_is_checked_too(project: Project) -> None:
    config = project.root / "beside.yaml"
    outputs = []
    for text in ("paramters: {}", "enable_cache: maybe", "[1, 2]", "parameters: {1: {}}"):
        config.write_text(text)
        done = project.execute(
            ["python", "-c", f"import florence_finetune as f; f.with_options(config_path={str(config)!r})"]
        )
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        outputs.append(done.stderr)
    assert "paramters: unknown key; did you mean 'parameters'" in outputs[0]
    assert "enable_cache" in outputs[1]


def test_quarantine_goes_on_without_the_bad_rows_and_counts_them(project: Project, tmp_path: Path) -> None:
    source = write_scenes(tmp_path / "data")
    with (source / "train" / "annotations.jsonl").open("a") as file:
        file.write('{"image": "0.png", "prefix": "<OD>", "suffix": "cat<loc_1000>"}\n')
    settings = {"training": {"epochs": 1, "batch_size": 8}, "evaluation": {"max_new_tokens": 16}}
    config = {
        "dataset": {"source": str(source)},
        "model": {"base": "builtin:nano"},
        "validation": {"on_error": "quarantine"},
        **settings,
    }
    outcome = project.run("quarantine", config)
    assert outcome.status == 0, outcome.output
    reports = [file.read_text() for file in (project.root / ".store").rglob("validation.json")]
    assert any('"rows_quarantined": 1' in report for report in reports)
