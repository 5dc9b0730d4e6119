"""The texts of a project's files."""

from __future__ import annotations

from pathlib import Path

from florence2.project import create_project
from tests.unit.project.projects import dataset_of, settings


def test_a_folder_with_a_line_break_in_its_name_stays_in_the_comments(tmp_path: Path) -> None:
    data = dataset_of(tmp_path / "data", {"train": 4, "valid": 2, "test": 2})
    project = create_project(tmp_path / "my\nx: [", str(data))
    assert settings(project)["dataset"]["source"] == str(data)
    assert set(settings(project, "promote.yaml")) >= {"dataset"}
