"""Each mistake that is easily made is answered by a sentence that says what to do, and leaves nothing behind.

The commands run as typed; only the evaluation of the rules is plain pandas, for Great Expectations takes a second.
"""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from florence2.adapters import great_expectations
from florence2.cli import main
from florence2.config import EvaluationConfig, TrainingConfig
from florence2.errors import ConfigurationError
from florence2.evaluation.class_names import check_classes
from florence2.training.fitting import _why_on_the_cpu
from tests.builders import annotation, manifest, manifest_row, write_dataset, write_scenes
from tests.rules import run_rules


@pytest.fixture(autouse=True)
def evaluate_with_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(great_expectations, "_run_rules", run_rules)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a data set of each of two layouts below ``sets``."""
    write_scenes(tmp_path / "sets" / "scenes", 4, 2, 2)
    yolo = tmp_path / "sets" / "tiles"
    (yolo / "train" / "images").mkdir(parents=True)
    (yolo / "data.yaml").write_text("names: [tile]\ntrain: train/images\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


Typed = Callable[..., tuple[int, str]]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Type a command, and return its status and what it printed to standard error."""

    def type_in(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["florence2", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        status = ended.value.code
        assert isinstance(status, int)
        message = capsys.readouterr().err
        assert "Traceback" not in message
        return status, message

    return type_in


READING = [
    ("validate",),
    ("stats",),
    ("train", "--dataset"),
    ("init", "project", "--dataset"),
    ("evaluate", "--model", "builtin:nano", "--dataset"),
]


@pytest.mark.parametrize("command", READING, ids=lambda command: command[0])
def test_a_wrong_path_is_answered_with_the_one_that_may_be_meant(
    folder: Path, typed: Typed, command: tuple[str, ...]
) -> None:
    status, message = typed(*command, "sets/scene")
    assert status == 1
    assert f"{folder}/sets/scene: no such folder; did you mean {folder}/sets/scenes?" in message
    assert not (folder / "project").exists()


def test_a_path_without_a_similar_one_is_answered_with_the_expected_layout(folder: Path, typed: Typed) -> None:
    _, message = typed("validate", "xyz")
    assert "no such folder; give the folder of a data set: train/annotations.jsonl" in message


def test_a_file_of_a_data_set_is_answered_with_its_folder(folder: Path, typed: Typed) -> None:
    status, message = typed("validate", "sets/scenes/train/annotations.jsonl")
    assert status == 1
    assert f"is a file; give the folder of its data set, {folder}/sets/scenes\n" in message


def test_a_folder_of_data_sets_is_answered_with_their_names(folder: Path, typed: Typed) -> None:
    status, message = typed("init", "project", "--dataset", "sets")
    assert status == 1
    assert (
        f"holds several data sets; give one of them: {folder}/sets/scenes (jsonl) or {folder}/sets/tiles (yolo)"
        in message
    )


@pytest.mark.parametrize("command", READING, ids=lambda command: command[0])
def test_a_wrong_format_is_answered_with_the_right_one(folder: Path, typed: Typed, command: tuple[str, ...]) -> None:
    status, message = typed(*command, "sets/scenes", "--format", "yolo")
    assert status == 1
    assert "is not yolo (data.yaml with names), it looks like jsonl; give --format jsonl, or omit the format" in message


def test_a_model_that_is_no_run_is_answered_with_the_runs_there_are(
    folder: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise ConnectionError("no route")

    monkeypatch.setattr("huggingface_hub.HfApi.model_info", refuse)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(folder))
    (folder / "runs" / "1").mkdir(parents=True)
    status, message = typed("evaluate", "--model", "runs/9", "--dataset", "sets/scenes")
    assert status == 1
    assert "unknown base model 'runs/9': there is no such folder (the folder runs contains 1)" in message


TYPED_WRONG = {
    "train --dataset sets/scene": "did you mean",
    "train --dry-run --dataset sets/scene": "did you mean",
    "train --dataset sets/scenes --model none": "unknown base model 'none'",
    "train --dataset sets/scenes --metrics vqa_acuracy": "did you mean 'vqa_accuracy'?",
    "train --dataset sets/scenes --output file/runs": "file/runs: cannot be written to: file is a file; give",
    f"train --dataset sets/scenes --output {'x' * 300}": "xxx: cannot be written to: File name too long; give",
    "train --resume runs/9": "runs/9 is not the folder of a run",
    "evaluate --model builtin:nano --dataset sets/scene": "did you mean",
    "evaluate --model none --dataset sets/scenes": "unknown base model 'none'",
    "evaluate --model builtin:nano --dataset sets/scenes --metrics vqa_acuracy": "did you mean 'vqa_accuracy'?",
    "evaluate --model builtin:nano --dataset sets/scenes --output file/x": "file is a file; give another output",
    "predict none.png": "none.png: no such file or folder",
    "predict sets/scenes --output file/x": "file is a file; give another output",
}
"""Commands, each with a path or a name that is not there, and its message."""

TYPE_ALL = """
import contextlib, io, json, sys
from florence2.cli import main
for words in json.loads(sys.argv[1]):
    sys.argv = ["florence2", *words.split()]
    with contextlib.redirect_stderr(io.StringIO()) as message, contextlib.suppress(SystemExit):
        main()
    heavy = [name for name in ("torch", "transformers", "mlflow", "great_expectations") if name in sys.modules]
    print(json.dumps([words, message.getvalue(), heavy]))
"""


def test_paths_and_names_are_checked_before_torch_is_loaded(folder: Path) -> None:
    (folder / "file").touch()
    before = set(folder.rglob("*"))
    command = [sys.executable, "-c", TYPE_ALL, json.dumps(list(TYPED_WRONG))]
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=True
    ).stdout
    answers = [json.loads(line) for line in done.splitlines()]
    assert [words for words, _, _ in answers] == list(TYPED_WRONG)
    for words, message, heavy in answers:
        assert TYPED_WRONG[words] in message, words
        assert heavy == [], words
    assert set(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("train", "--epoch", "3"), "--epochs"),
        (("trian",), "train"),
        (("init", "--datset", "x", "p"), "--dataset"),
        (("doctor", "--jsn"), "--json"),
    ],
)
def test_a_misspelt_option_is_a_usage_error_with_the_right_one(
    typed: Typed, words: tuple[str, ...], message: str
) -> None:
    status, found = typed(*words)
    assert status == 2
    assert message in found


OD = manifest_row(suffix="great white shark<loc_1><loc_2><loc_3><loc_4>fish<loc_1><loc_2><loc_3><loc_4>")


def classes(*names: str, grammar: str = "classes") -> EvaluationConfig:
    return EvaluationConfig(grammar=grammar, classes=names)


def test_a_misspelt_class_is_answered_with_that_of_the_data() -> None:
    with pytest.raises(ConfigurationError, match=r"'grate white shark' is in no annotation; did you mean 'great white"):
        check_classes(manifest(OD), classes("grate white shark", "fish"))
    with pytest.raises(ConfigurationError, match=r"'Fish' is in no annotation; did you mean 'fish'"):
        check_classes(manifest(OD), classes("great white shark", "Fish"))


QUESTION = manifest_row(prefix="<VQA>what?", task="<VQA>", suffix="fish")


@pytest.mark.parametrize(
    ("row", "config", "refused"),
    [
        (OD, classes("great white shark", "fish", "octopus"), False),
        (OD, classes("great white shark", "fishes", "fish"), False),  # both are meant
        (OD, classes("great white shark", "fishes"), True),
        (OD, classes("fihs", grammar="boxes"), False),
        (OD, classes("fihs"), True),
        (QUESTION, classes("fihs"), False),
    ],
)
def test_a_class_that_may_be_rare_or_is_not_requested_is_accepted(
    row: dict[str, Any], config: EvaluationConfig, refused: bool
) -> None:
    messages = []
    try:
        check_classes(manifest(row), config)
    except ConfigurationError as exc:
        messages.append(str(exc))
    assert bool(messages) == refused, messages


def test_a_misspelt_class_stops_a_training_before_it_begins(folder: Path, typed: Typed) -> None:
    status, message = typed(
        "train", "--dataset", "sets/scenes", "--grammar", "classes", "--classes", "red tiel", "--batch-size", "2"
    )
    assert status == 1
    assert "evaluation.classes: 'red tiel' is in no annotation; did you mean 'red tile'?" in message
    assert "epoch" not in message


def test_bfloat16_without_a_gpu_is_advised_against(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("florence2.training.fitting.best_device", lambda: "cpu")
    monkeypatch.setattr("florence2.training.fitting.unseen_gpu", lambda: None)
    assert "leave it at auto" in str(_why_on_the_cpu(TrainingConfig(precision="bfloat16")))
    assert _why_on_the_cpu(TrainingConfig()) is None
    monkeypatch.setattr("florence2.training.fitting.unseen_gpu", lambda: "the driver is too old: update it")
    assert _why_on_the_cpu(TrainingConfig()) == "training on the CPU: the driver is too old: update it"


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all that is written beside its place meet a full disk, as half of it has been written."""

    def filling(write: Callable[..., int]) -> Callable[..., int]:
        def fill(file: Path, content: str | bytes, **options: str) -> int:
            if file.name.startswith(".unfinished-"):
                write(file, content[: len(content) // 2])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
            return write(file, content, **options)

        return fill

    for name in ("write_text", "write_bytes"):
        monkeypatch.setattr(Path, name, filling(getattr(Path, name)))


def test_a_full_disk_leaves_neither_half_of_a_file_nor_a_folder(folder: Path, typed: Typed, full_disk: None) -> None:
    before = sorted(folder.iterdir())
    status, message = typed("init", "project", "--dataset", "sets/scenes")
    assert status == 1
    assert "cannot be written (No space left on device); free space, or give another folder" in message
    status, message = typed("freeze", "sets/scenes", "test.json")
    assert status == 1
    assert "test.json: cannot be written (No space left on device)" in message
    assert sorted(folder.iterdir()) == before


def test_a_set_without_defects_says_nothing(tmp_path: Path, typed: Typed) -> None:
    data = write_dataset(tmp_path / "data", {s: [annotation(f"{s}.png")] for s in ("train", "valid", "test")})
    status, message = typed("validate", str(data))
    assert (status, "error" in message) == (0, False)
