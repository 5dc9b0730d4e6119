"""The champion of a model: moves, rollbacks, and what a killed move leaves."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.context import ForkServerContext

import mlflow
import pytest

from florence2.adapters.mlflow.registry import Registry
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


def test_a_move_is_a_tag_of_both_versions_and_the_decision_of_the_new_champion(registry: Registry) -> None:
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
    with pytest.raises(RegistryError, match="there is no earlier one that was not rolled back"):
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


def test_two_simultaneous_promotions_leave_one_champion_and_a_complete_history(
    registry: Registry, processes: ForkServerContext
) -> None:
    promote(registry, "1")
    barrier, results = processes.Barrier(2), processes.Queue()
    both = [
        processes.Process(target=race, args=(registry.tracking_uri, version, barrier.wait, results))
        for version in ("2", "3")
    ]
    for process in both:
        process.start()
    outcomes = sorted(results.get(timeout=120) for _ in both)
    for process in both:
        process.join()
    winner = outcomes[0][0]
    assert outcomes[0] == f"{winner} promoted"
    assert f"the champion is version {winner} by now" in outcomes[1]
    assert registry.aliases() == {"champion": winner, "previous": "1"}
    assert moves(registry) == [("promote", None, "1"), ("promote", "1", winner)]


def test_an_unknown_model_has_no_champion_and_no_history(registry: Registry) -> None:
    other = Registry(registry.tracking_uri, "other")
    assert other.version_of("champion") is None
    assert other.history() == ()
    with pytest.raises(RegistryError, match="no model is registered as 'other'"):
        other.rollback("r")
