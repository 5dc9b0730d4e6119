import subprocess
import sys

import pytest
from typer.testing import CliRunner

import florence2
from florence2.cli import app
from florence2.config import Configuration, leaf_paths


def test_the_public_names_are_these() -> None:
    assert florence2.__all__ == [
        "Checkpoint",
        "Configuration",
        "Detections",
        "Florence2Error",
        "MeanAveragePrecisionMetric",
        "TrainingResult",
        "evaluate",
        "train",
    ]


@pytest.mark.parametrize("name", florence2.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(florence2, name).__doc__


def test_help_loads_nothing_heavy() -> None:
    heavy = "('torch', 'pandas', 'transformers', 'mlflow')"
    code = f"import sys, florence2.cli; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_every_setting_is_an_option() -> None:
    text = CliRunner().invoke(app, ["train", "--help"], env={"COLUMNS": "200"}).output
    names = {"source": "dataset", "base": "model"}
    for name, _ in leaf_paths(Configuration):
        assert f"--{names.get(name, name).replace('_', '-')}" in text
