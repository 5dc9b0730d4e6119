"""Which versions are candidates for promotion, as the registry says, and what is written back."""

from __future__ import annotations

from typing import Any

import pytest

from florence2.adapters.mlflow import candidates as adapter
from florence2.adapters.mlflow.candidates import apply_decision, find_candidates, training_images_of
from florence2.adapters.mlflow.history import Move
from florence2.adapters.mlflow.versions import RegisteredModel
from florence2.config import ModelConfig, RegistrationConfig
from florence2.errors import RegistryError
from florence2.promotion.decision import Decision


class FakeRegistry:
    """A registry in memory; one for all who open it."""

    def __init__(self) -> None:
        self.aliases = {"challenger": "2", "champion": "1"}
        self.base: dict[str, str] = {}
        self.moves: list[Move] = []
        self.written: list[Any] = []

    def __call__(self, tracking_uri: str | None, name: str) -> FakeRegistry:
        assert name == "florence2-finetune"
        return self

    def version_of(self, alias: str) -> RegisteredModel | None:
        version = self.aliases.get(alias)
        if version is None:
            return None
        uri = f"models:/m/{version}"
        return RegisteredModel(
            name="florence2-finetune", version=version, alias=alias, uri=uri, run_id="r", tracking_uri="t"
        )

    def tags_of(self, version: str) -> dict[str, str]:
        return {"checkpoint_fingerprint": f"weights {version}", "test_fingerprint": "the split", **self.base}

    def history(self) -> tuple[Move, ...]:
        return tuple(self.moves)

    def training_images(self, version: str) -> frozenset[str]:
        if version == "1":
            raise RegistryError("the list is gone")
        return frozenset({"ab"})

    def move_champion(self, version: str, **values: Any) -> None:
        self.written.append((version, values))

    def annotate(self, version: str, tags: dict[str, str]) -> None:
        self.written.append((version, tags))


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> FakeRegistry:
    fake = FakeRegistry()
    monkeypatch.setattr(adapter, "Registry", fake)
    return fake


def test_challenger_and_champion_are_found_by_their_aliases(registry: FakeRegistry) -> None:
    found = find_candidates("t", RegistrationConfig())
    assert found.challenger is not None
    assert found.champion is not None
    assert (found.challenger.version, found.challenger.content) == ("2", "weights 2")
    assert (found.champion.version, found.champion.test_fingerprint) == ("1", "the split")
    assert found.undecided
    registry.aliases.clear()
    assert find_candidates("t", RegistrationConfig()).challenger is None


def test_a_candidate_has_the_base_that_its_tags_name_and_none_where_they_name_none(registry: FakeRegistry) -> None:
    challenger = find_candidates("t", RegistrationConfig()).challenger
    assert challenger is not None
    assert (challenger.base, challenger.base_fingerprint) == (None, "")
    registry.base = {"base": "me/mine", "base_revision": "v2", "base_fingerprint": "abc"}
    challenger = find_candidates("t", RegistrationConfig()).challenger
    assert challenger is not None
    assert (challenger.base, challenger.base_fingerprint) == (ModelConfig(base="me/mine", revision="v2"), "abc")


def test_one_version_under_both_aliases_is_one_candidate(registry: FakeRegistry) -> None:
    registry.aliases["champion"] = "2"
    assert not find_candidates("t", RegistrationConfig()).undecided


def move(number: int, action: Any, before: str | None, after: str) -> Move:
    return Move(number=number, action=action, before=before, after=after, by="eve@host", at="noon", why="it saw ghosts")


def test_a_challenger_that_was_rolled_back_is_known_as_that(registry: FakeRegistry) -> None:
    registry.moves = [move(1, "promote", None, "1"), move(2, "promote", "1", "2")]
    assert find_candidates("t", RegistrationConfig()).rollback_reason == ""
    registry.moves.append(move(3, "rollback", "2", "1"))
    assert find_candidates("t", RegistrationConfig()).rollback_reason == "it saw ghosts (eve@host, noon)"
    registry.moves.append(move(4, "promote", "1", "2"))
    assert find_candidates("t", RegistrationConfig()).rollback_reason == ""


def test_training_images_are_the_list_or_why_there_is_none(registry: FakeRegistry) -> None:
    found = find_candidates("t", RegistrationConfig())
    assert found.challenger is not None
    assert found.champion is not None
    assert training_images_of(found.challenger) == frozenset({"ab"})
    assert training_images_of(found.champion) == "the list is gone"


def test_a_promotion_moves_the_champion_from_the_one_that_was_compared(registry: FakeRegistry) -> None:
    challenger = find_candidates("t", RegistrationConfig()).challenger
    assert challenger is not None
    promoted = Decision(verdict="promote", why="Better.", challenger="2", champion="1")
    apply_decision(promoted, challenger)
    assert registry.written == [
        ("2", {"expected_champion": "1", "reason": "Better.", "decision": promoted.tags()}),
    ]


@pytest.mark.parametrize("verdict", ["hold", "reject"])
def test_any_other_decision_is_noted_and_moves_nothing(registry: FakeRegistry, verdict: Any) -> None:
    challenger = find_candidates("t", RegistrationConfig()).challenger
    assert challenger is not None
    kept = Decision(verdict=verdict, why="Worse.", challenger="2", champion="1")
    apply_decision(kept, challenger)
    assert registry.written == [("2", kept.tags())]
