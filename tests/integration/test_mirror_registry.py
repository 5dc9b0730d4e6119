"""ZenML's stages after MLflow's aliases: linked, mirrored, and repaired where one store is behind the other."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from tests.integration.project import Project

_PRELUDE = """
import json, logging
import mlflow
from zenml.client import Client
from florence2.adapters.mlflow.registry import Registry
from florence2.adapters.mlflow.local_store import default_tracking_uri
from steps import mirror_registry
from steps.mirror_registry import link, mirror

NAME = "mirrored"
uri = default_tracking_uri()
mlflow_client, client = mlflow.MlflowClient(uri), Client()
registry = Registry(uri, NAME)

def stages():
    found = client.list_model_versions(model_name_or_id=NAME, hydrate=True).items
    return {version.name: version.stage for version in found}
"""


@pytest.fixture(scope="module")
def stores(project: Project) -> Project:
    """Both stores with versions v1, v2 and v3, linked; the first two were champions, the last is the challenger."""
    run(
        project,
        """
mlflow_client.create_registered_model(NAME)
client.create_model(NAME)
for name in ("v1", "v2", "v3"):
    number = mlflow_client.create_model_version(NAME, "file:///nowhere").version
    link(registry, str(number), client.create_model_version(NAME, name=name).id)
registry.move_champion("1", expected_champion=None, reason="first", decision={})
registry.move_champion("2", expected_champion="1", reason="better", decision={})
mlflow_client.set_registered_model_alias(NAME, "challenger", "3")
result = None
""",
    )
    return project


def run(project: Project, code: str) -> Any:
    done = project.execute([sys.executable, "-c", _PRELUDE + code + '\nprint("RESULT" + json.dumps(result))'])
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.split("RESULT")[1])


def test_stages_follow_the_aliases_and_a_second_call_changes_nothing(stores: Project) -> None:
    first, found, second = run(stores, "result = mirror(registry), stages(), mirror(registry)")
    assert len(first) == 3
    assert found == {"v1": "archived", "v2": "production", "v3": "staging"}
    assert second == []


def test_a_kill_between_the_stores_is_repaired_by_the_next_run(stores: Project) -> None:
    """MLflow has moved and ZenML has not; then a rollback on the command line, which knows no ZenML."""
    moved, behind, repaired, rolled_back = run(
        stores,
        """
def die(*_):
    raise KeyboardInterrupt
mirror(registry)
kept, mirror_registry.Client = mirror_registry.Client, die
try:
    registry.move_champion("3", expected_champion="2", reason="best", decision={})
    mirror(registry)
except KeyboardInterrupt:
    pass
mirror_registry.Client = kept
moved, behind = registry.aliases(), stages()
mirror(registry)
repaired = stages()
registry.rollback("bad boxes")
mirror(registry)
result = moved, behind, repaired, stages()
""",
    )
    assert moved["champion"] == "3"
    assert behind == {"v1": "archived", "v2": "production", "v3": "staging"}
    assert repaired == {"v1": "archived", "v2": "archived", "v3": "production"}
    assert rolled_back == {"v1": "archived", "v2": "production", "v3": "staging"}


def test_a_zenml_version_that_is_gone_is_no_obstacle(stores: Project) -> None:
    found = run(
        stores,
        """
from uuid import UUID
client.delete_model_version(UUID(registry.tags_of("1")[mirror_registry.ZENML_VERSION]))
mirror(registry)
result = stages()
""",
    )
    assert found == {"v2": "production", "v3": "staging"}


def test_an_alert_goes_to_the_alerter_or_to_the_log(stores: Project) -> None:
    logged, posted = run(
        stores,
        """
from types import SimpleNamespace
from steps import alerts
logged, posted = [], []
alerts.logger.addHandler(SimpleNamespace(level=0, handle=lambda record: logged.append(record.getMessage())))
alerts.alert("held: a class got worse")
def refuse(message):
    raise OSError("no network")
for post in (lambda message: posted.append(message) or True, refuse):
    alerter = SimpleNamespace(name="chat", post=post)
    alerts.Client = lambda alerter=alerter: SimpleNamespace(active_stack=SimpleNamespace(alerter=alerter))
    alerts.alert("promoted: version 2")
result = logged, posted
""",
    )
    assert logged == [
        "held: a class got worse",
        "the alerter chat could not post (no network): promoted: version 2",
    ]
    assert posted == ["promoted: version 2"]
