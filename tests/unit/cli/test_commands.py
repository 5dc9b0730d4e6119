"""The command as a process: how fast it answers, what it says of a typing error, who else may add commands to it."""

from __future__ import annotations

import os
import resource
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from florence2.cli import app
from florence2.cli.commands import COMMANDS, LazyCommand
from tests import ROOT

MAIN = "import sys; sys.argv[0] = 'florence2'; from florence2.cli import main; main()"
HEAVY = {"accelerate", "great_expectations", "matplotlib", "mlflow", "numpy", "pandas", "peft", "PIL", "pyarrow"}
HEAVY |= {"pydantic", "scipy", "torch", "transformers", "yaml", "zenml"}


def run(*words: str, python: tuple[str, ...] = (), **environment: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(path for path in (environment.pop("PYTHONPATH", ""), str(ROOT)) if path)
    return subprocess.run(
        [sys.executable, *python, "-c", MAIN, *words],
        env={**os.environ, "COLUMNS": "80", "PYTHONPATH": paths, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_imports_nothing_heavy() -> None:
    done = run("--help", python=("-X", "importtime"))
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "typer" in imported
    assert not imported & HEAVY


def test_help_takes_less_than_half_a_second_of_a_core() -> None:
    """Of the processor, not of the clock: other work on the machine is none of the command's."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(3):
        assert run("--help").returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / 3
    assert seconds < 0.5


@pytest.mark.parametrize("name", COMMANDS)
def test_help_says_of_each_command_what_its_docstring_says(name: str) -> None:
    command = LazyCommand(name, COMMANDS[name])
    command.describe()
    assert command.help
    loaded = command.load()
    assert loaded.name == name
    if not COMMANDS[name].endswith(":registry"):  # an app of commands is described by its module
        assert (loaded.help or "").replace("\n", " ").startswith(command.help)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_page_of_help_fits_80_columns_and_every_option_has_a_text(name: str) -> None:
    page = run(name, "--help").stdout
    assert max(map(len, page.splitlines())) <= 80
    assert f"Usage: florence2 {name} " in page
    group = typer.main.get_command(app)
    for parameter in LazyCommand(name, COMMANDS[name]).make_context(name, [], resilient_parsing=True).command.params:
        assert getattr(parameter, "help", None), parameter.name
        if parameter.param_type_name == "option":
            assert parameter.opts[0].removeprefix("--") in page
    assert name in group.list_commands(None)  # type: ignore[attr-defined]


def test_help_shows_values_and_the_names_of_maestro() -> None:
    page = " ".join(run("train", "--help").stdout.replace("│", " ").split())
    assert "one of lora, full, freeze; default: lora; also --optimization-strategy" in page
    assert "Peak learning rate of AdamW; empty: a default for the base and the strategy. (also --lr)" in page
    assert "defaults, then --config, then --set, then options; the later one wins" in page
    assert page.index("training.lora") > page.index("╭─ training ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trian"], "Did you mean 'train'?"),
        (["train", "--epoch", "3"], "--epochs"),
        (["train", "--epochs", "three"], "--epochs"),
        (["registry", "lst"], "Did you mean 'list'?"),
        (["evaluate", "--model", "m", "--split=val"], "'train', 'valid'"),
        (["validate"], "give the data set, or a --config that names it"),
        (["predict"], "name images, or a --config with images.folder"),
        (["train", "--resume", "--dry-run"], "leave out --dry-run or --resume"),
    ],
)
def test_a_typing_error_ends_with_2_and_the_nearest_known(words: list[str], message: str) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.replace("│", " ").split())
    assert not done.stdout


def test_the_version_is_that_of_the_package() -> None:
    from importlib.metadata import version

    assert run("--version").stdout == f"florence2-finetune {version('florence2-finetune')}\n"


def test_colours_are_for_terminals_only() -> None:
    assert "\x1b" not in run("train", "--help").stdout
    coloured = run("train", "--help", FORCE_COLOR="1", TERM="xterm-256color").stdout
    assert "\x1b[1;36m" in coloured
    without = run("train", "--help", FORCE_COLOR="1", TERM="xterm-256color", NO_COLOR="1").stdout
    assert "\x1b[1;36m" not in without


def completed(words: str, index: int) -> list[str]:
    return run(_FLORENCE2_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=str(index)).stdout.split()


def test_the_shell_completes_commands_options_and_values() -> None:
    assert completed("florence2 tr", 1) == ["train"]
    assert completed("florence2 registry r", 2) == ["rollback"]
    assert completed("florence2 train --strat", 2) == ["--strategy"]
    assert completed("florence2 train --strategy ", 3) == ["lora", "full", "freeze"]
    assert completed("florence2 train --optimization-strategy f", 3) == ["full", "freeze"]
    assert completed("florence2 convert a b --to c", 5) == ["coco"]
    assert "complete_bash" in run("--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1").stdout


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """A folder with a package that adds two commands, one of which cannot be imported."""
    (tmp_path / "extra_room.py").write_text(
        '"""A room."""\nimport json\ndef greet(name: str) -> None:\n    """Greet somebody.\n\n    At length.\n    """\n'
        '    print(json.dumps({"hello": name}))\n'
    )
    (tmp_path / "broken_room.py").write_text(
        'import no_such_library\ndef fail() -> None:\n    """Never come here."""\n'
    )
    info = tmp_path / "extra-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: extra\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[florence2.commands]\ngreet = extra_room:greet\nfail = broken_room:fail\ngone = no_such_room:go\n"
    )
    return tmp_path


def test_a_package_may_add_commands(plugins: Path) -> None:
    page = run("--help", PYTHONPATH=str(plugins), python=("-X", "importtime"))
    text = " ".join(page.stdout.replace("│", " ").split())
    assert "greet Greet somebody. fail Never come here. gone Added by extra." in text
    assert "extra_room" not in page.stderr
    done = run("greet", "you", PYTHONPATH=str(plugins))
    assert (done.returncode, done.stdout) == (0, '{"hello": "you"}\n')
    assert "At length." in run("greet", "--help", PYTHONPATH=str(plugins)).stdout


@pytest.mark.parametrize(("name", "why"), [("fail", "no_such_library"), ("gone", "no_such_room")])
def test_an_added_command_that_is_broken_says_so_in_a_line(plugins: Path, name: str, why: str) -> None:
    done = run(name, PYTHONPATH=str(plugins))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: the command {name} of extra cannot be loaded from ")
    assert why in line


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
    line = f"{shlex.quote(sys.executable)} -c {shlex.quote(MAIN)} train --help {closed}"
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
