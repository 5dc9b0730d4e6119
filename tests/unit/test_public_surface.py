import dataclasses
import importlib.metadata
import inspect
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import florence2
from florence2.cli import app, main
from florence2.config import Configuration, leaf_paths
from florence2.evaluation.metrics.registry import METRICS


def test_the_public_names_are_these_and_the_metrics() -> None:
    metrics = [metric.__name__ for metric in METRICS.values()]
    assert florence2.__all__ == sorted(
        [
            "AnswerKind",
            "AnswerMetric",
            "Checkpoint",
            "Configuration",
            "Detections",
            "EpochRecord",
            "EvaluationReport",
            "Florence2Error",
            "Metric",
            "Model",
            "ModelEvaluation",
            "Prediction",
            "Score",
            "StepRecord",
            "TrainingHistory",
            "TrainingResult",
            "TuningResult",
            "__version__",
            "evaluate",
            "load",
            "predict",
            "train",
            "tune",
            *metrics,
        ]
    )


def test_every_metric_is_a_public_name() -> None:
    metrics = {name for name in florence2.__all__ if name.endswith("Metric")}
    assert metrics - {"AnswerMetric", "Metric"} == {metric.__name__ for metric in METRICS.values()}, "make reference"


@pytest.mark.parametrize("name", florence2.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(florence2, name).__doc__


@pytest.mark.parametrize("name", ["Model", "TrainingHistory", "TrainingResult"])
def test_every_public_attribute_is_documented(name: str) -> None:
    kind = getattr(florence2, name)
    attributes = [attribute for attribute in vars(kind) if not attribute.startswith("_")]
    fields = kind.__dataclass_fields__ if dataclasses.is_dataclass(kind) else {}
    assert attributes
    text = inspect.getdoc(kind) or ""
    assert all(f"    {field}: " in text for field in fields)
    assert all(getattr(kind, attribute).__doc__ for attribute in attributes if attribute not in fields)


@pytest.mark.parametrize("name", ["evaluate", "load", "predict", "train"])
def test_every_public_function_says_what_it_takes_gives_and_raises_with_an_example(name: str) -> None:
    function = getattr(florence2, name)
    text = inspect.getdoc(function) or ""
    assert all(f"\n{part}:\n" in text for part in ("Args", "Returns", "Raises", "Example"))
    assert all(f"\n    {argument}: " in text for argument in inspect.signature(function).parameters)


def test_the_version_is_that_of_the_package() -> None:
    assert florence2.__version__ == importlib.metadata.version("florence2-finetune")


def test_help_loads_nothing_heavy() -> None:
    heavy = "('torch', 'pandas', 'transformers', 'mlflow')"
    code = f"import sys, florence2.cli; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["evaluate", "--checkpoint=none", "--dataset=none"], "none: no such folder; give the checkpoint folder"),
        (["train", "--dataset=none", "--epochs=10", "--batch-size=8"], "none: no such folder"),
        (["predict", "none.png", "also-none"], "also-none: no such file or folder"),
        (["predict", ".", "--prefix=<ODD>"], "prefix '<ODD>' starts with no task token"),
        (["predict", "pyproject.toml", "--model=none"], "unknown base model 'none'"),
    ],
)
def test_a_wrong_command_ends_in_a_message(
    command: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["florence2", *command])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert message in capsys.readouterr().err


def test_every_setting_of_a_training_is_an_option() -> None:
    text = CliRunner().invoke(app, ["train", "--help"], env={"COLUMNS": "200"}).output
    names = {"source": "dataset", "base": "model"}
    for name, path in leaf_paths(Configuration):
        if path[0] == "registration" or name == "reference":
            continue  # only the pipeline uses them; a file may hold them all the same
        assert f"--{names.get(name, name).replace('_', '-')}" in text
