"""The check of the ZenML stack where the file that names the active one of a folder is damaged."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipelines.stack_checks import check_stack


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "it holds no settings"),
        (": : [garbage", "while parsing a block mapping"),
    ],
)
def test_a_damaged_choice_of_stack_is_reported_with_its_remedy_before_zenml_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, reason: str
) -> None:
    monkeypatch.setenv("ZENML_ANALYTICS_OPT_IN", "false")
    monkeypatch.setitem(sys.modules, "zenml", None)
    file = tmp_path / "my project" / ".zen" / "config.yaml"
    (file.parent.parent / "below").mkdir(parents=True)
    file.parent.mkdir()
    file.write_text(content)
    monkeypatch.chdir(file.parent.parent / "below")
    (found,) = check_stack()
    assert found.level == "problem"
    assert found.message.startswith(f"{file}: which stack is active here cannot be read ({reason}")
    folder = file.parent.parent
    assert found.fix == f"rm -r '{folder}/.zen' && cd '{folder}' && python -m pipelines.local_stack"
