from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest

from florence2.adapters.mlflow.aliases import Registry
from florence2.errors import RegistryError

NAME = "cards"


def client_of(registry: Registry) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(registry.tracking_uri)


def promote(registry: Registry, *versions: str) -> None:
    for version in versions:
        champion = registry.version_of("champion")
        registry.move_champion(
            version, expected_champion=champion.version if champion else None, reason=f"{version} is good", decision={}
        )


def moves(registry: Registry) -> list[tuple[str, str | None, str | None]]:
    return [(move.action, move.before, move.after) for move in registry.history()]


def test_the_champion_moves_and_the_last_one_is_previous(registry: Registry) -> None:
    promote(registry, "1", "2")
    assert registry.aliases() == {"champion": "2", "previous": "1"}
    found = registry.version_of("champion")
    assert found is not None
    assert (found.version, found.uri, found.alias) == ("2", "models:/cards/2", "champion")
    assert moves(registry) == [("promote", None, "1"), ("promote", "1", "2")]


def test_both_versions_tell_of_a_move_and_the_winner_of_its_decision(registry: Registry) -> None:
    promote(registry, "1")
    registry.move_champion("2", expected_champion="1", reason="better boxes", decision={"gate.map50": "0.8"})
    tags = registry.tags_of("2")
    assert tags["gate.map50"] == "0.8"
    assert "better boxes" in tags["champion_move.0002"]
    assert registry.tags_of("1")["champion_move.0002"] == tags["champion_move.0002"]


@pytest.mark.parametrize(
    ("version", "expected", "message"),
    [
        ("2", None, "the champion is version 1 by now, not no version"),
        ("2", "3", "the champion is version 1 by now, not version 3"),
        ("1", "1", "version 1 is champion already"),
        ("7", "1", "no version '7'; there are 1, 2, 3"),
        ("x", "1", "no version 'x'"),
    ],
)
def test_what_does_not_fit_moves_nothing(registry: Registry, version: str, expected: str | None, message: str) -> None:
    promote(registry, "1")
    with pytest.raises(RegistryError, match=message):
        registry.move_champion(version, expected_champion=expected, reason="r", decision={"gate": "1"})
    assert registry.aliases() == {"champion": "1"}
    assert len(registry.history()) == 1
    assert "gate" not in registry.tags_of("2")


def test_rollbacks_go_back_step_by_step_and_then_refuse(registry: Registry) -> None:
    promote(registry, "1", "2", "3")
    assert registry.rollback("bad boxes").version == "2"
    assert registry.aliases() == {"champion": "2", "previous": "1"}
    assert "bad boxes" in registry.tags_of("2")["champion_move.0004"]
    assert registry.rollback("worse").version == "1"
    assert registry.aliases() == {"champion": "1"}
    with pytest.raises(RegistryError, match="none was before it"):
        registry.rollback("again")
    assert len(registry.history()) == 5


def test_a_deleted_champion_of_before_is_not_rolled_back_to(registry: Registry) -> None:
    promote(registry, "1", "2")
    client_of(registry).delete_model_version(NAME, "1")
    with pytest.raises(RegistryError, match="version 1, the champion before version 2, was deleted"):
        registry.rollback("r")
    assert registry.aliases() == {"champion": "2"}


def test_a_deleted_champion_is_replaced_by_the_one_before(registry: Registry) -> None:
    promote(registry, "1", "2")
    client_of(registry).delete_model_version(NAME, "2")
    assert registry.rollback("deleted").version == "1"
    assert moves(registry)[2:] == [("found", "2", None), ("rollback", None, "1")]


@pytest.mark.parametrize("method", ["set_registered_model_alias", "set_model_version_tag"])
def test_a_move_that_was_killed_half_way_is_noted_and_mended(
    registry: Registry, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(registry, "1")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(registry._client, method, die)
        promote(registry, "2")
    assert registry.aliases()["champion"] == "1"
    registry.settle()
    assert moves(registry) == [("promote", None, "1"), ("promote", "1", "2"), ("found", "2", "1")]
    promote(registry, "3")
    assert registry.rollback("r").version == "1"


def test_an_alias_that_another_program_moved_is_noted(registry: Registry) -> None:
    client_of(registry).set_registered_model_alias(NAME, "champion", "3")
    promote(registry, "1")
    assert moves(registry) == [("found", None, "3"), ("promote", "3", "1")]
    assert registry.aliases() == {"champion": "1", "previous": "3"}


def race(uri: str, version: str, barrier: Callable[[], object], results: multiprocessing.Queue[str]) -> None:
    registry = Registry(uri, NAME)
    barrier()
    try:
        registry.move_champion(version, expected_champion="1", reason=f"{version} won", decision={})
        results.put(f"{version} promoted")
    except RegistryError as exc:
        results.put(str(exc))


def test_two_promotions_at_once_leave_one_champion_and_a_whole_history(registry: Registry) -> None:
    promote(registry, "1")
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(2), context.Queue()
    both = [
        context.Process(target=race, args=(registry.tracking_uri, version, barrier.wait, results))
        for version in ("2", "3")
    ]
    for process in both:
        process.start()
    said = sorted(results.get(timeout=120) for _ in both)
    for process in both:
        process.join()
    winner = said[0][0]
    assert said[0] == f"{winner} promoted"
    assert f"the champion is version {winner} by now" in said[1]
    assert registry.aliases() == {"champion": winner, "previous": "1"}
    assert moves(registry) == [("promote", None, "1"), ("promote", "1", winner)]


def test_the_files_of_a_version_come_as_a_folder(registry: Registry, tmp_path: Path) -> None:
    assert (registry.download_into(tmp_path, "2") / "model.safetensors").read_bytes() == b"weights"
    shutil.rmtree(tmp_path / "source-1")
    with pytest.raises(RegistryError, match="cards version 2: artifacts/model cannot be read"):
        registry.download_into(tmp_path, "2")


def test_an_unknown_model_has_no_champion_and_no_history(registry: Registry) -> None:
    other = Registry(registry.tracking_uri, "other")
    assert other.version_of("champion") is None
    assert other.history() == ()
    with pytest.raises(RegistryError, match="no model is registered as 'other'"):
        other.rollback("r")


def test_a_store_that_is_not_there_is_said_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="no such file"):
        Registry(f"sqlite:///{tmp_path}/none.db", NAME)
    assert not list(tmp_path.iterdir())


def test_a_server_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(RegistryError, match=r"the model registry http://\*\*\*@127.0.0.1:9 refused") as told:
        Registry("http://me:secret@127.0.0.1:9", NAME).version_of("champion")
    assert "secret" not in str(told.value)
