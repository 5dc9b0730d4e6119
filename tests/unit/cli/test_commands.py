"""The group of commands: its help imports nothing, and other packages add commands to it."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
import typer

from florence2.cli import app
from florence2.cli.commands import COMMANDS, LazyCommand
from tests.unit.cli.processes import invoke, run

HEAVY = {"accelerate", "great_expectations", "matplotlib", "mlflow", "numpy", "pandas", "peft", "PIL", "pyarrow"}
HEAVY |= {"pydantic", "scipy", "torch", "transformers", "yaml", "zenml"}


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
    page = invoke(name, "--help").stdout
    assert max(map(len, page.splitlines())) <= 80
    assert f"Usage: florence2 {name} " in page
    group = typer.main.get_command(app)
    for parameter in LazyCommand(name, COMMANDS[name]).make_context(name, [], resilient_parsing=True).command.params:
        assert getattr(parameter, "help", None), parameter.name
        if parameter.param_type_name == "option":
            assert parameter.opts[0].removeprefix("--") in page
    assert name in group.list_commands(None)  # type: ignore[attr-defined]


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
    assert "fail Never come here. gone Added by extra. greet Greet somebody." in text
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
