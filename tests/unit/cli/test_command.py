"""What all commands share: their pages of help, wrong options, completion."""

from __future__ import annotations

import pytest

from tests.unit.cli.processes import invoke, run


def test_help_shows_values_and_the_names_of_maestro() -> None:
    page = " ".join(invoke("train", "--help").stdout.replace("│", " ").split())
    assert "one of lora, full, freeze; default: by the recipe, else lora; also --optimization-strategy" in page
    assert "short trainings on your data. (default: by the recipe; also --lr)" in page
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
    done = invoke(*words)
    assert done.exit_code == 2
    assert message in " ".join(done.stderr.replace("│", " ").split())
    assert not done.stdout


def test_colours_are_for_terminals_only() -> None:
    assert "\x1b" not in run("train", "--help").stdout
    coloured = run("train", "--help", FORCE_COLOR="1", TERM="xterm-256color").stdout
    assert "\x1b[1;36m" in coloured
    without = run("train", "--help", FORCE_COLOR="1", TERM="xterm-256color", NO_COLOR="1").stdout
    assert "\x1b[1;36m" not in without


def completed(words: str, index: int) -> list[str]:
    return invoke(_FLORENCE2_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=str(index)).stdout.split()


def test_the_shell_completes_commands_options_and_values() -> None:
    assert completed("florence2 tr", 1) == ["train"]
    assert completed("florence2 registry r", 2) == ["rollback"]
    assert completed("florence2 train --strat", 2) == ["--strategy"]
    assert completed("florence2 train --strategy ", 3) == ["lora", "full", "freeze"]
    assert completed("florence2 train --optimization-strategy f", 3) == ["full", "freeze"]
    assert completed("florence2 convert a b --to c", 5) == ["coco"]
    assert "complete_bash" in run("--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1").stdout
