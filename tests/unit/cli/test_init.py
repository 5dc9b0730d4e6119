"""The command as a whole: its streams and signals, and that each mistake ends in a sentence with its remedy.

The commands run as typed; only the evaluation of the rules is plain pandas, for Great Expectations takes a second.
"""

from __future__ import annotations

import errno
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from florence2.adapters import great_expectations
from florence2.cli import main
from tests import ROOT
from tests.builders import annotation, write_dataset, write_scenes
from tests.rules import run_rules
from tests.unit.cli.processes import MAIN, run


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
    ("train",),
    ("init", "project"),
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
    assert (
        f"is a file that is no data set by itself; give the folder of its data set, {folder}/sets/scenes\n" in message
    )


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
    assert (
        "is not yolo (data.yaml with names, or labels/*.txt), it looks like jsonl; give --format jsonl, or omit"
        in message
    )


def test_a_model_that_is_no_run_is_answered_with_the_runs_there_are(
    folder: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A run is no hub id: the hub, which may take long to answer, gets no request.
    monkeypatch.setattr("florence2.model.base.hub_commit", None)
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


def test_a_misspelt_class_stops_a_training_before_it_begins(folder: Path, typed: Typed) -> None:
    status, message = typed(
        "train", "--dataset", "sets/scenes", "--grammar", "classes", "--classes", "red tiel", "--batch-size", "2"
    )
    assert status == 1
    assert "evaluation.classes: 'red tiel' is in no annotation; did you mean 'red tile'?" in message
    assert "epoch" not in message


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


def test_the_version_is_that_of_the_package() -> None:
    from importlib.metadata import version

    assert run("--version").stdout == f"florence2-finetune {version('florence2-finetune')}\n"


@pytest.mark.parametrize("words", ["train --help", "--help", "score --help"])
def test_a_reader_that_leaves_early_is_no_error(words: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, *words.split()],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    process.wait()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's disk that is always full")
def test_a_full_disk_is_a_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", MAIN, "train", "--help"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "error: standard output: the disk is full; free space and try again\n"


def test_sigterm_ends_a_command_in_order() -> None:
    """Temporary files are removed at exit, which Python leaves out where a signal kills it."""
    script = """
import atexit, time
from florence2 import cli
cli.app = lambda: (atexit.register(print, "removed"), print("ready", flush=True), time.sleep(60))
cli.main()
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=20)[0] == "removed\n"
    assert process.returncode == 143


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_closed_standard_stream_is_no_error(closed: str) -> None:
    line = f"{shlex.quote(sys.executable)} -c {shlex.quote(MAIN)} --help {closed}"
    done = subprocess.run(
        line, shell=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_file_that_cannot_be_used_is_a_sentence() -> None:
    fails = "import florence2.cli as c; c.app = lambda: open('/no such folder/answers.txt', 'w'); c.main()"
    done = subprocess.run(
        [sys.executable, "-c", fails],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "error: /no such folder/answers.txt: No such file or directory; give a path that exists and that you may read "
        "and write\n"
    )
