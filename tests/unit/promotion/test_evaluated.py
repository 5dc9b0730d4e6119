"""Models whose faults are known, asked and compared: each fault keeps a challenger back, and is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from florence2.config import EvaluationConfig, PromotionConfig
from florence2.datasets.checks.report import ValidationReport
from florence2.datasets.formats import read_dataset
from florence2.datasets.manifest import DatasetManifest
from florence2.promotion.candidates import Candidate, Candidates
from florence2.promotion.decision import Decision, decide
from florence2.promotion.evaluated import Evaluated, evaluate_weights
from florence2.promotion.gathering import gather, standing
from florence2.promotion.serving import ServingCheck
from tests.builders import write_mistaken, write_stars

ASKED = EvaluationConfig(max_new_tokens=16, resamples=300)
SERVED = ServingCheck(load_seconds=1.0, seconds_per_image=0.1, memory_gib=1.0)
CHECKED = ValidationReport(40, 0, {}, {}, (), (), "")
MISTAKES: dict[str, dict[str, str]] = {
    "good": {},
    "three wrong": {"red": "green", "green": "blue", "blue": "red"},
    "yellow wrong": {"yellow": "purple", "purple": "yellow"},
}
"""Models by the colours that they take for another."""


@pytest.fixture(scope="module")
def test_data(tmp_path_factory: pytest.TempPathFactory) -> DatasetManifest:
    return read_dataset(write_stars(tmp_path_factory.mktemp("stars"))).select("test")


@pytest.fixture(scope="module")
def evaluated(test_data: DatasetManifest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Evaluated]:
    models = tmp_path_factory.mktemp("models")
    return {
        name: evaluate_weights(write_mistaken(models / name, mistakes), name, test_data, ASKED)
        for name, mistakes in MISTAKES.items()
    }


def candidate(version: str, test_data: DatasetManifest) -> Candidate:
    return Candidate(
        name="stars",
        version=version,
        uri=f"models:/stars/{version}",
        tracking_uri="",
        content=version,
        test_fingerprint=test_data.fingerprint,
    )


def judge(
    test_data: DatasetManifest,
    challenger: Evaluated,
    champion: Evaluated,
    training_images: frozenset[str] | str = frozenset(),
    served: ServingCheck = SERVED,
    champion_served: ServingCheck = SERVED,
) -> Decision:
    policy = PromotionConfig()
    candidates = Candidates(challenger=candidate("2", test_data), champion=candidate("1", test_data))
    shown = {"2": (served, challenger), "1": (champion_served, champion)}
    return decide(policy, gather(policy, candidates, shown, test_data, CHECKED, training_images))


def failed(decision: Decision) -> list[str]:
    return [gate.name for gate in decision.gates if gate.passed is False]


def test_a_better_model_is_promoted(test_data: DatasetManifest, evaluated: dict[str, Evaluated]) -> None:
    decision = judge(test_data, evaluated["good"], evaluated["three wrong"])
    assert (decision.verdict, failed(decision)) == ("promote", [])


def test_an_equal_model_is_held(test_data: DatasetManifest, evaluated: dict[str, Evaluated]) -> None:
    decision = judge(test_data, evaluated["good"], evaluated["good"])
    assert (decision.verdict, failed(decision)) == ("hold", ["improvement"])
    assert "+0.000 against version 1" in decision.why


def test_a_worse_model_is_held_and_the_classes_named(
    test_data: DatasetManifest, evaluated: dict[str, Evaluated]
) -> None:
    decision = judge(test_data, evaluated["three wrong"], evaluated["good"])
    assert (decision.verdict, failed(decision)) == ("hold", ["improvement", "class_regression"])
    assert all(f"{color} star (-" in decision.why for color in ("red", "green", "blue"))


def test_a_model_that_is_better_but_worse_in_one_class_is_held_for_that_class(
    test_data: DatasetManifest, evaluated: dict[str, Evaluated]
) -> None:
    decision = judge(test_data, evaluated["yellow wrong"], evaluated["three wrong"])
    assert (decision.verdict, failed(decision)) == ("hold", ["class_regression"])
    assert "Worse than the champion in yellow star (-" in decision.why
    assert "red star" not in decision.why


def test_a_model_that_was_trained_on_a_test_image_is_rejected(
    test_data: DatasetManifest, evaluated: dict[str, Evaluated]
) -> None:
    seen = frozenset({str(test_data.table["sha256"].iloc[7]), "0" * 64})
    decision = judge(test_data, evaluated["good"], evaluated["three wrong"], training_images=seen)
    assert (decision.verdict, failed(decision)) == ("reject", ["unseen_test"])
    assert "trained on 1 of the 40 test images" in decision.why


def test_a_model_of_which_nobody_knows_what_it_was_trained_on_is_rejected(
    test_data: DatasetManifest, evaluated: dict[str, Evaluated]
) -> None:
    decision = judge(test_data, evaluated["good"], evaluated["three wrong"], training_images="the list is gone")
    assert (decision.verdict, failed(decision)) == ("reject", ["unseen_test"])
    assert "the list is gone" in decision.why


def test_a_model_that_does_not_load_is_rejected_and_its_scores_are_not_judged(
    test_data: DatasetManifest, evaluated: dict[str, Evaluated]
) -> None:
    decision = judge(test_data, Evaluated.nothing(), evaluated["good"], served=ServingCheck(failure="no such file"))
    assert (decision.verdict, failed(decision)) == ("reject", ["serving"])
    assert "no such file" in decision.why
    assert {gate.name for gate in decision.gates if gate.passed is None} == {"valid_answers", "improvement"}


def test_a_champion_whose_files_are_gone_holds_the_challenger(
    test_data: DatasetManifest, evaluated: dict[str, Evaluated]
) -> None:
    gone = ServingCheck(failure="its files are gone")
    decision = judge(test_data, evaluated["good"], Evaluated.nothing(), champion_served=gone)
    assert (decision.verdict, failed(decision)) == ("hold", ["champion"])
    assert "Version 1 is champion but cannot be used: its files are gone" in decision.why


def test_another_test_split_than_at_registration_is_noticed(
    test_data: DatasetManifest, evaluated: dict[str, Evaluated]
) -> None:
    fewer = test_data.drop([0])
    decision = judge(fewer, evaluated["good"], evaluated["three wrong"])
    assert failed(decision) == []
    policy = PromotionConfig()
    candidates = Candidates(challenger=candidate("2", fewer), champion=candidate("1", test_data))
    shown = {"2": (SERVED, evaluated["good"]), "1": (SERVED, evaluated["three wrong"])}
    changed = decide(policy, gather(policy, candidates, shown, fewer, CHECKED, frozenset()))
    assert (changed.verdict, failed(changed)) == ("hold", ["same_test"])
    assert "another test split: version 1" in changed.why


def test_the_first_model_is_compared_with_nothing(test_data: DatasetManifest, evaluated: dict[str, Evaluated]) -> None:
    policy = PromotionConfig(minimum=0.5)
    candidates = Candidates(challenger=candidate("1", test_data), champion=None)
    for name, verdict in (("good", "promote"), ("three wrong", "reject")):
        shown = {"1": (SERVED, evaluated[name])}
        decision = decide(policy, gather(policy, candidates, shown, test_data, CHECKED, frozenset()))
        assert decision.verdict == verdict


def test_there_may_be_nothing_to_decide(test_data: DatasetManifest) -> None:
    one = candidate("1", test_data)
    for candidates in (Candidates(challenger=one, champion=one), Candidates(challenger=None, champion=one)):
        assert not candidates.undecided
        assert decide(PromotionConfig(), standing(candidates)).verdict == "nothing"
    assert Candidates(challenger=one, champion=None).undecided


def test_an_evaluation_comes_back_from_its_files(evaluated: dict[str, Evaluated], tmp_path: Path) -> None:
    before = evaluated["good"]
    before.save(tmp_path)
    after = Evaluated.load(tmp_path)
    assert after.evaluation == before.evaluation
    assert (after.resamples.images, after.resamples.seed) == (40, before.resamples.seed)
    assert after.resamples.per_class.keys() == before.resamples.per_class.keys()
    for name, score in before.resamples.scores.items():
        assert after.resamples.scores[name].value == score.value
        assert after.resamples.scores[name].resampled.tobytes() == score.resampled.tobytes()


def test_an_evaluation_that_could_not_be_made_comes_back_as_that(tmp_path: Path) -> None:
    Evaluated.nothing().save(tmp_path)
    assert Evaluated.load(tmp_path) == Evaluated.nothing()
