"""Where settings come from on the command line, and which of two wins."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from florence2 import cli, sdk
from florence2.cli.settings import with_settings
from florence2.config import Configuration
from florence2.errors import ConfigurationError

Taken = Callable[..., dict[str, Any]]


@pytest.fixture
def taken() -> Taken:
    """Return the settings that a command would get for what is typed."""
    found: list[dict[str, Any]] = []

    @with_settings()
    def command(**values: Any) -> None:
        found.append(values)

    app = typer.Typer(add_completion=False)
    app.command()(command)

    def run(*words: object) -> dict[str, Any]:
        done = CliRunner().invoke(app, [str(word) for word in words])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0, done.output
        return found.pop()

    return run


def test_options_win_over_set_and_set_over_the_file(tmp_path: Path, taken: Taken) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("training: {epochs: 1, batch_size: 1, seed: 1, lora: {rank: 1}}")
    words = ["--config", file, "--set", "epochs=2", "--set", "training.batch_size=2", "--set", "lora_r=2"]
    assert taken(*words, "--batch-size", 3) == {"epochs": 2, "batch_size": 3, "seed": 1, "rank": 2}
    assert taken() == {}


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("patience=null", {"patience": None}),
        ("training.learning_rate=1e-4", {"learning_rate": "1e-4"}),
        ("evaluation.classes=[a, 'b: c']", {"classes": ["a", "b: c"]}),
        ("verify=true", {"verify": True}),
        ("validation.rules={box-tiny: warn}", {"rules": {"box-tiny": "warn"}}),
        ("validation.rules.box-tiny=warn", {"rules": {"box-tiny": "warn"}}),
        ("optimization_strategy=none", {"strategy": "full"}),
        ("source=s3://a/b=c", {"source": "s3://a/b=c"}),
    ],
)
def test_a_value_is_read_as_yaml(taken: Taken, assignment: str, expected: dict[str, Any]) -> None:
    assert taken("--set", assignment) == expected


def test_outcomes_of_rules_are_laid_over_each_other(tmp_path: Path, taken: Taken) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("validation: {rules: {box-tiny: warn, box-outside: repair}}")
    found = taken("--config", file, "--set", "rules.box-tiny=ignore", "--rules", "class-blanks=repair")
    assert found == {"rules": {"box-tiny": "ignore", "box-outside": "repair", "class-blanks": "repair"}}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--set", "training.epohcs=3"], "--set training.epohcs: unknown key; did you mean 'training.epochs'"),
        (["--set", "epohcs=3"], "--set epohcs: unknown key; did you mean 'epochs'"),
        (
            ["--set", "training.lora=3"],
            "--set training.lora: is a section; set one of its settings: training.lora.rank",
        ),
        (["--set", "epochs"], "--set epochs: give it as KEY=VALUE"),
        (["--set", "classes=[a"], "the value is not valid YAML"),
        (["--set", "epochs=0"], "training.epochs: .*not 0"),
        (["--set", f"epochs={'[' * 1000}"], "--set epochs=.*: the value is not valid YAML"),
        (["--set", "epochs=2020-13-45"], "--set epochs=2020-13-45: the value is not valid YAML"),
        (["--set", "device=cpu"], "device: is not a setting: .*CUDA_VISIBLE_DEVICES"),
        (["--epochs", "0"], "training.epochs: .*not 0"),
        (["--strategy", "qlora"], "training.strategy: .*'lora', 'full' or 'freeze', not 'qlora'"),
        (["--config", "no.yaml"], "no.yaml: cannot be read"),
    ],
)
def test_what_is_typed_wrong_is_a_usage_error(taken: Taken, words: list[str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"(?s){message}") as caught:
        taken(*words)
    assert caught.value.exit_status == 2


def test_a_training_is_typed_as_in_the_documents_of_maestro(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []

    def train(configuration: Configuration, output: Path, *, resume: Any) -> None:
        found.append((configuration, output, resume))
        raise SystemExit(0)

    monkeypatch.setattr(sdk, "train", train)
    line = "--dataset D --epochs 10 --batch-size 4 --optimization_strategy none --metrics mean_average_precision"
    more = "--model_id some/model --revision main --lr 1e-4 --val-batch-size 2 --num_workers 1 --random_seed 7"
    words = f"train {line} {more} --output_dir here --max_new_tokens=512 --accumulate_grad_batches 2".split()
    monkeypatch.setattr(sys, "argv", ["florence2", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    ((configuration, output, resume),) = found
    assert (output, resume) == (Path("here"), False)
    assert configuration == Configuration(
        dataset="D",
        base="some/model",
        revision="main",
        strategy="full",
        epochs=10,
        batch_size=4,
        gradient_accumulation=2,
        learning_rate=1e-4,
        seed=7,
        loader_workers=1,
        metrics=["mean_average_precision"],
        eval_batch_size=2,
        max_new_tokens=512,
    )


@pytest.mark.parametrize("option", ["--device=cuda", "--cache_dir", "--val-num-workers"])
def test_an_option_of_maestro_without_equivalent_is_answered(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["florence2", "train", option, "x"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert "is not an option of florence2: " in capsys.readouterr().err


def test_the_data_set_may_be_an_argument_and_is_given_once() -> None:
    found: list[dict[str, Any]] = []

    @with_settings("dataset", dataset_argument=True)
    def command(**values: Any) -> None:
        found.append(values)

    app = typer.Typer(add_completion=False)
    app.command()(command)
    for words in (["my-set"], ["--dataset", "my-set"], ["my-set", "--dataset=my-set"]):
        assert CliRunner().invoke(app, words).exit_code == 0
        assert found.pop() == {"source": "my-set"}
    twice = CliRunner().invoke(app, ["my-set", "--dataset", "other"])
    assert str(twice.exception) == "the data set is given twice, as my-set and by --dataset other; give one"
