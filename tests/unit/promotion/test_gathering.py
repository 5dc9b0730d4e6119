"""Models with known faults are evaluated and compared: each fault keeps a challenger back, with its reason."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from florence2.config import PromotionConfig
from florence2.datasets.checks.report import ValidationReport
from florence2.datasets.manifest import DatasetManifest
from florence2.evaluation.evaluated import Evaluated
from florence2.promotion.candidates import Candidate, Candidates
from florence2.promotion.decision import Decision, decide
from florence2.promotion.gathering import gather_evidence, name_versions
from florence2.promotion.serving import ServingCheck

SERVED = ServingCheck(load_seconds=1.0, seconds_per_image=0.1, memory_gib=1.0)
POLICY = PromotionConfig()
VALIDATION = ValidationReport(40, 0, {}, {}, (), (), "")


Decide = Callable[..., Decision]


@pytest.fixture
def decision_on(test_data: DatasetManifest, evaluated: dict[str, Evaluated], baseline: Evaluated) -> Decide:
    """How a challenger against a champion is decided; the base calls every star by a wrong colour."""

    def decide_on(
        challenger: Evaluated,
        champion: Evaluated | None,
        training_images: frozenset[str] | str = frozenset(),
        served: ServingCheck = SERVED,
        champion_served: ServingCheck = SERVED,
        registered_with: DatasetManifest = test_data,
        policy: PromotionConfig = POLICY,
        base: Evaluated | str = evaluated["all wrong"],
    ) -> Decision:
        first = candidate("1", registered_with)
        candidates = Candidates(challenger=candidate("2", test_data), champion=first if champion else None)
        measured = {"2": (served, challenger)} | ({"1": (champion_served, champion)} if champion else {})
        found = gather_evidence(
            policy, candidates, measured, test_data, VALIDATION, training_images, base=base, baseline=baseline
        )
        return decide(policy, found)

    return decide_on


def candidate(version: str, test_data: DatasetManifest) -> Candidate:
    return Candidate(
        name="stars",
        version=version,
        uri=f"models:/stars/{version}",
        tracking_uri="",
        content=version,
        test_fingerprint=test_data.fingerprint,
    )


def failed(decision: Decision) -> list[str]:
    return [gate.name for gate in decision.gates if gate.passed is False]


def test_a_better_model_is_promoted(decision_on: Decide, evaluated: dict[str, Evaluated]) -> None:
    decision = decision_on(evaluated["good"], evaluated["three wrong"])
    assert (decision.verdict, failed(decision)) == ("promote", [])


def test_an_equal_model_is_held(decision_on: Decide, evaluated: dict[str, Evaluated]) -> None:
    decision = decision_on(evaluated["good"], evaluated["good"])
    assert (decision.verdict, failed(decision)) == ("hold", ["improvement"])
    assert "+0.000 against version 1" in decision.why


def test_a_worse_model_is_held_and_the_classes_named(decision_on: Decide, evaluated: dict[str, Evaluated]) -> None:
    decision = decision_on(evaluated["three wrong"], evaluated["good"])
    assert (decision.verdict, failed(decision)) == ("hold", ["improvement", "class_regression"])
    assert all(f"{color} star (-" in decision.why for color in ("red", "green", "blue"))


def test_a_model_that_is_better_but_worse_in_one_class_is_held_for_that_class(
    decision_on: Decide, evaluated: dict[str, Evaluated]
) -> None:
    decision = decision_on(evaluated["yellow wrong"], evaluated["three wrong"])
    assert (decision.verdict, failed(decision)) == ("hold", ["class_regression"])
    assert "Worse than the champion in yellow star (-" in decision.why
    assert "red star" not in decision.why


def test_a_model_that_was_trained_on_a_test_image_is_rejected(
    decision_on: Decide, evaluated: dict[str, Evaluated], test_data: DatasetManifest
) -> None:
    seen = frozenset({str(test_data.table["sha256"].iloc[7]), "0" * 64})
    decision = decision_on(evaluated["good"], evaluated["three wrong"], training_images=seen)
    assert (decision.verdict, failed(decision)) == ("reject", ["unseen_test"])
    assert "trained on 1 of the 40 test images" in decision.why


def test_a_model_whose_training_images_are_not_known_is_rejected(
    decision_on: Decide, evaluated: dict[str, Evaluated]
) -> None:
    decision = decision_on(evaluated["good"], evaluated["three wrong"], training_images="the list is gone")
    assert (decision.verdict, failed(decision)) == ("reject", ["unseen_test"])
    assert "the list is gone" in decision.why


def test_a_model_that_does_not_load_is_rejected_and_its_scores_are_not_evaluated(
    decision_on: Decide, evaluated: dict[str, Evaluated]
) -> None:
    decision = decision_on(Evaluated.nothing(), evaluated["good"], served=ServingCheck(failure="no such file"))
    assert (decision.verdict, failed(decision)) == ("reject", ["serving"])
    assert "no such file" in decision.why
    assert {gate.name for gate in decision.gates if gate.passed is None} == {
        *("valid_answers", "better_than_base", "better_than_baseline", "improvement")
    }


def test_a_champion_whose_files_are_gone_holds_the_challenger(
    decision_on: Decide, evaluated: dict[str, Evaluated]
) -> None:
    gone = ServingCheck(failure="its files are gone")
    decision = decision_on(evaluated["good"], Evaluated.nothing(), champion_served=gone)
    assert (decision.verdict, failed(decision)) == ("hold", ["champion"])
    assert "Version 1 is champion but cannot be used: its files are gone" in decision.why


def test_another_test_split_than_at_registration_is_noticed(
    decision_on: Decide, evaluated: dict[str, Evaluated], test_data: DatasetManifest
) -> None:
    changed = decision_on(evaluated["good"], evaluated["three wrong"], registered_with=test_data.drop([0]))
    assert (changed.verdict, failed(changed)) == ("hold", ["same_test"])
    assert "another test split: version 1" in changed.why


def test_the_first_model_is_compared_with_base_and_baseline(
    decision_on: Decide, evaluated: dict[str, Evaluated]
) -> None:
    for name, verdict in (("good", "promote"), ("three wrong", "reject")):
        decision = decision_on(evaluated[name], None, policy=PromotionConfig(minimum=0.5))
        assert decision.verdict == verdict
    untrained = decision_on(evaluated["all wrong"], None)
    assert (untrained.verdict, failed(untrained)) == ("hold", ["better_than_base", "better_than_baseline"])
    assert "Gain in mAP50 over the base: 0.000 against 0.000: +0.000" in untrained.why
    without = decision_on(evaluated["all wrong"], None, policy=PromotionConfig(floor=False))
    assert (without.verdict, failed(without)) == ("promote", [])


def test_a_model_whose_base_is_gone_is_held_with_the_reason(
    decision_on: Decide, evaluated: dict[str, Evaluated]
) -> None:
    for base, why in (
        ("its files are gone; train again", "its files are gone"),
        (Evaluated.nothing(), "not evaluated"),
    ):
        decision = decision_on(evaluated["good"], None, base=base)
        assert (decision.verdict, failed(decision)) == ("hold", [])
        assert why in decision.why


def test_there_may_be_nothing_to_decide(test_data: DatasetManifest) -> None:
    one = candidate("1", test_data)
    for candidates in (Candidates(challenger=one, champion=one), Candidates(challenger=None, champion=one)):
        assert not candidates.undecided
        assert decide(PromotionConfig(), name_versions(candidates)).verdict == "nothing"
    assert Candidates(challenger=one, champion=None).undecided
