from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from florence2.adapters.mlflow.registry import Registry
from florence2.cli import app
from florence2.config import Configuration
from florence2.errors import Florence2Error


def command(registry: Registry, *arguments: str) -> Result:
    options = ["--name", registry.name, "--tracking-uri", registry.tracking_uri]
    return CliRunner().invoke(app, ["registry", *arguments, *options], env={"COLUMNS": "300"})


def message(registry: Registry, *arguments: str) -> Any:
    done = command(registry, *arguments, "--json")
    assert done.exit_code == 0, done.exception
    return json.loads(done.output)


@pytest.fixture
def championed(registry: Registry) -> Registry:
    registry.annotate("1", {"map50": "0.5", "test_fingerprint": "a"})
    registry.annotate("2", {"map50": "0.82", "map50_low": "0.78", "map50_high": "0.86", "test_fingerprint": "a"})
    registry.move_champion("1", expected_champion=None, reason="the first", decision={"decision": "promote"})
    registry.move_champion("2", expected_champion="1", reason="better", decision={"decision": "promote"})
    return registry


def test_list_has_versions_aliases_scores_and_moves(championed: Registry) -> None:
    content = message(championed, "list")
    assert [row["aliases"] for row in content["versions"]] == [["previous"], ["champion"], []]
    assert [move["why"] for move in content["history"]] == ["the first", "better"]
    table = command(championed, "list").output
    assert "0.820 (0.780 to 0.860)" in table
    assert "promote: version 2 is champion, before it version 1" in table


def test_show_takes_a_number_or_an_alias(championed: Registry) -> None:
    assert message(championed, "show", "champion") == message(championed, "show", "2")
    assert message(championed, "show", "2")["tags"]["map50"] == "0.82"
    assert "test_fingerprint" in command(championed, "show", "1").output


def test_compare_shows_what_differs(championed: Registry) -> None:
    content = message(championed, "compare", "previous", "champion")
    assert content["differences"]["map50"] == ["0.5", "0.82"]
    assert "test_fingerprint" not in content["differences"]
    for version in "12":
        championed.annotate(version, {"baseline_map50": "0.3", "baseline_other": "0.1"})
    content = message(championed, "compare", "previous", "champion")
    assert content["differences"]["baseline_map50"] == ["0.3", "0.3"]
    assert "baseline_other" not in content["differences"]
    assert content["same_test_split"]
    championed.annotate("1", {"test_fingerprint": "b"})
    assert "cannot be compared" in command(championed, "compare", "1", "2").output


def test_compare_names_the_settings_that_differ_with_both_values(championed: Registry, tmp_path: Path) -> None:
    unknown = command(championed, "compare", "1", "2").output
    assert "Which settings differ is not known: " in unknown
    assert "version 1: artifacts/configuration.json cannot be read" in unknown
    assert message(championed, "compare", "1", "2")["settings"] is None
    for number, epochs in enumerate((2, 8, 8)):
        file = tmp_path / f"source-{number}" / "artifacts" / "configuration.json"
        file.write_text(Configuration(epochs=epochs).model_dump_json())
    assert message(championed, "compare", "1", "2")["settings"] == {"training.epochs": ["2", "8"]}
    championed.annotate("2", {"decision_gates": "serving: passed: it answers"})
    table = command(championed, "compare", "1", "2").output
    assert "it answers" not in table
    assert re.search(r"setting +┃ version 1 ┃ version 2", table)
    assert re.search(r"training\.epochs +│ 2 +│ 8 +│", table)
    assert "All settings are the same." in command(championed, "compare", "2", "3").output


@pytest.mark.parametrize("made", [False, True])
def test_list_before_the_first_run_says_what_to_run(empty_store: Path, tmp_path: Path, made: bool) -> None:
    uri = f"sqlite:///{empty_store if made else tmp_path / 'mlflow.db'}"
    listed = [CliRunner().invoke(app, ["registry", "list", "--tracking-uri", uri, *more]) for more in ([], ["--json"])]
    assert [each.exit_code for each in listed] == [0, 0]
    assert f"No model is registered in {uri} yet; to register a model, run `make stack` and then" in listed[0].output
    assert json.loads(listed[1].output)["versions"] == []
    assert not (tmp_path / "mlflow.db").exists()
    for arguments in (["show", "champion"], ["compare", "1", "2"], ["rollback", "--reason=r"]):
        done = CliRunner().invoke(app, ["registry", *arguments, "--tracking-uri", uri])
        assert "to register a model, run `make stack` and then `zenml pipeline run florence_finetune`" in str(
            done.exception
        )


def test_promote_by_hand_needs_a_reason(championed: Registry) -> None:
    assert command(championed, "promote", "3").exit_code == 2
    assert "--reason" in str(command(championed, "promote", "3", "--reason= ").exception)
    assert championed.aliases()["champion"] == "2"
    assert "version 3 is champion" in command(championed, "promote", "3", "--reason=the customer wants it").output
    assert championed.history()[-1].why == "the customer wants it"
    assert championed.tags_of("3")["decision"] == "by hand"


def test_rollback_is_one_command(championed: Registry) -> None:
    moved = message(championed, "rollback", "--reason=bad boxes")
    assert moved["aliases"]["champion"] == "1"
    assert (moved["action"], moved["before"], moved["after"], moved["why"]) == ("rollback", "2", "1", "bad boxes")
    assert "there is no earlier one" in str(command(championed, "rollback", "--reason=again").exception)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "9"], "no version '9'; there are 1, 2, 3"),
        (["show", "best"], "no alias 'best'; there are champion (version 2), previous (version 1)"),
        (["promote", "2", "--reason=r"], "version 2 is champion already"),
    ],
)
def test_what_is_missing_ends_in_a_message(championed: Registry, arguments: list[str], message: str) -> None:
    done = command(championed, *arguments)
    assert isinstance(done.exception, Florence2Error)
    assert message in str(done.exception)


def test_an_unknown_model_ends_in_a_message(registry: Registry) -> None:
    done = command(Registry(registry.tracking_uri, "dogs"), "list")
    assert "no model is registered as 'dogs'" in str(done.exception)


def test_the_store_is_that_of_the_environment_or_of_the_local_stack(
    championed: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def listed() -> Result:
        return CliRunner().invoke(app, ["registry", "list", "--name", championed.name, "--json"])

    below = tmp_path / "project" / "below"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert "name that store by --tracking-uri" in str(listed().exception)
    (below.parent / ".zen").mkdir()
    (below.parent / ".zen" / "mlflow_tracking_uri").write_text(championed.tracking_uri + "\n")
    assert listed().exit_code == 0
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/none.db")
    assert json.loads(listed().output)["versions"] == []
