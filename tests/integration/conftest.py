"""Everything here runs the real pipeline, or whole fine-tunes again and again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.project import Project


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project.copy_to(tmp_path_factory.mktemp("project"))
