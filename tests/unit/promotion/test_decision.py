"""The pure decision: which verdict follows from which evidence, and that worse evidence never helps."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from florence2.config import PromotionConfig
from florence2.evaluation.bootstrap import Comparison, Comparisons, Interval
from florence2.promotion.decision import Decision, decide
from florence2.promotion.evidence import Evidence, Floor, MeasuredModel
from florence2.promotion.gate import Gate
from tests.evidence import POLICY, compared, evidence, measured

RANK = {"reject": 0, "hold": 1, "promote": 2}


def gate(decision: Decision, name: str) -> Gate:
    return next(gate for gate in decision.gates if gate.name == name)


def obstacles(decision: Decision) -> list[Gate]:
    return [gate for gate in decision.gates if not gate.passed]


def test_a_better_challenger_is_promoted() -> None:
    decision = decide(POLICY, evidence())
    assert (decision.verdict, decision.exit_status, obstacles(decision)) == ("promote", 0, [])
    assert decision.why == "Version 2 becomes champion in place of version 1: it passed every gate."
    assert gate(decision, "improvement").value == 0.05


def test_no_challenger_and_a_challenger_that_is_champion_already_need_no_decision() -> None:
    assert decide(POLICY, evidence(challenger=None)).why == "There is no challenger."
    same = decide(POLICY, evidence(challenger=measured("1")))
    assert (same.verdict, same.exit_status, same.gates) == ("nothing", 0, ())


def test_the_first_model_has_to_pass_every_gate_but_those_about_the_champion() -> None:
    first = decide(POLICY, evidence(champion=None, comparison=Comparisons()))
    assert first.verdict == "promote"
    assert "first champion" in first.why
    assert {gate.aspect for gate in first.gates} == {"model", "serving", "floor"}
    weak = measured("2", scores={"map50": 0.4})
    assert decide(POLICY, evidence(champion=None, comparison=Comparisons(), challenger=weak)).verdict == "reject"


def test_equal_models_hold() -> None:
    decision = decide(POLICY, evidence(comparison=Comparisons({"map50": compared(0.0, 0.0)})))
    assert (decision.verdict, decision.exit_status) == ("hold", 3)
    assert [gate.name for gate in obstacles(decision)] == ["improvement"]


def test_better_on_average_but_worse_in_a_class_holds_and_names_it() -> None:
    classes = {"cat": {"ap50": compared(-0.4, -0.1)}, "dog": {"ap50": compared(0.2, 0.6)}}
    decision = decide(POLICY, evidence(comparison=Comparisons({"map50": compared(0.05, 0.2)}, classes)))
    assert decision.verdict == "hold"
    assert "Worse than the champion in cat (-0.250)." in decision.why
    assert "dog" not in decision.why


UNFIT: dict[str, tuple[dict[str, Any], str, str]] = {
    "slow": ({"challenger": measured("2", seconds_per_image=1.5)}, "latency", "1.5 s, at most 1 s"),
    "large": ({"challenger": measured("2", memory_gib=3.0)}, "memory", "3 GiB, at most 2 GiB"),
    "weak": ({"challenger": measured("2", scores={"map50": 0.4})}, "minimum", "0.400; at least 0.5"),
    "weak class": (
        {"challenger": measured("2", per_class={"cat": {"ap50": 0.2}, "dog": {"ap50": 0.9}})},
        "class_floor",
        "Below 0.3: cat (0.200).",
    ),
    "cut answers": ({"challenger": measured("2", valid_answers=0.5)}, "valid_answers", "50.0% of the answers"),
    "leaked": ({"leaked_images": 3}, "unseen_test", "trained on 3 of the 40 test images"),
    "unknown training": ({"leaked_images": None, "leak_unknown": "no list"}, "unseen_test", "not known: no list"),
    "bad data": ({"invalid_samples": 7}, "data_checks", "7 of 100 samples"),
    "unloadable": (
        {"challenger": MeasuredModel("2", "no weights"), "comparison": Comparisons()},
        "serving",
        "no weights",
    ),
}


@pytest.mark.parametrize("case", UNFIT)
def test_an_unfit_challenger_is_rejected_with_the_reason(case: str) -> None:
    values, name, why = UNFIT[case]
    for champion in (None, measured("1")):
        decision = decide(POLICY, evidence(champion=champion, **values))
        assert (decision.verdict, decision.exit_status) == ("reject", 3)
        assert [gate.name for gate in obstacles(decision) if gate.passed is False] == [name]
        assert why in gate(decision, name).why
        assert why in decision.why


HELD: dict[str, tuple[dict[str, Any], str, str]] = {
    "worse": ({"comparison": Comparisons({"map50": compared(-0.3, -0.1)})}, "improvement", "-0.200 against version 1"),
    "perhaps better": ({"comparison": Comparisons({"map50": compared(-0.01, 0.2)})}, "improvement", "-0.010 or more"),
    "another test": ({"versions_of_other_tests": ("1",)}, "same_test", "another test split: version 1"),
    "no better than its base": (
        {"base": Floor({"map50": 0.8}, Comparisons({"map50": compared(-0.1, 0.1)}))},
        "better_than_base",
        "0.800 against 0.800: +0.000, -0.100 to +0.100; more than 0 is required",
    ),
    "no better than guessing": (
        {"baseline": Floor({"map50": 0.7}, Comparisons({"map50": compared(-0.01, 0.2)}))},
        "better_than_baseline",
        "Gain in mAP50 over answers without the image: 0.800 against 0.700",
    ),
    "rolled back": ({"rollback_reason": "it saw ghosts"}, "not_rolled_back", "rolled back: it saw ghosts"),
    "champion gone": (
        {"champion": MeasuredModel("1", "its files are gone"), "comparison": Comparisons()},
        "champion",
        "Version 1 is champion but cannot be used: its files are gone",
    ),
}


@pytest.mark.parametrize("case", HELD)
def test_a_challenger_without_a_proven_advantage_is_held_with_the_reason(case: str) -> None:
    values, name, why = HELD[case]
    decision = decide(POLICY, evidence(**values))
    assert (decision.verdict, decision.exit_status) == ("hold", 3)
    assert gate(decision, name).passed is False
    assert why in f"{gate(decision, name).title}: {gate(decision, name).why}"
    assert why in decision.why


def test_models_that_cannot_be_compared_hold() -> None:
    decision = decide(POLICY, evidence(comparison=Comparisons()))
    assert decision.verdict == "hold"
    assert "could not be compared" in decision.why


def test_an_error_rate_is_better_when_it_is_smaller() -> None:
    policy = PromotionConfig(primary="character_error_rate", minimum=0.3, improvement=0.02)
    floor = Floor({"character_error_rate": 0.6}, Comparisons({"character_error_rate": compared(-0.5, -0.1)}))
    better = evidence(
        challenger=measured("2", scores={"character_error_rate": 0.2}),
        comparison=Comparisons({"character_error_rate": compared(-0.2, -0.05)}),
        base=floor,
        baseline=floor,
    )
    assert decide(policy, better).verdict == "promote"
    worse = replace(better, comparison=Comparisons({"character_error_rate": compared(0.05, 0.2)}))
    assert decide(policy, worse).verdict == "hold"
    high = replace(better, challenger=measured("2", scores={"character_error_rate": 0.4}))
    assert decide(policy, high).verdict == "reject"


def test_tags_have_verdict_champion_and_every_gate() -> None:
    tags = decide(POLICY, evidence()).tags()
    assert (tags["decision"], tags["decision_champion"]) == ("promote", "1")
    assert tags["decision_gates"].count("\n") == len(decide(POLICY, evidence()).gates) - 1
    assert all(len(text) <= 5000 for text in tags.values())


def test_a_decision_survives_json() -> None:
    decision = decide(POLICY, evidence(leaked_images=None))
    assert Decision.model_validate_json(decision.model_dump_json()) == decision


EARLIER = """{"verdict": "hold", "why": "Version 2 is held.", "challenger": "2", "champion": "1", "gates": [
  {"name": "improvement", "title": "Gain in mAP50", "judges": "advantage", "value": null, "limit": 0.0, "passed": null,
   "why": "The two models could not be compared."}]}"""
"""decision.json as earlier versions of this library wrote it."""


def test_a_decision_of_an_earlier_version_is_read_and_written_with_the_same_keys() -> None:
    decision = Decision.model_validate_json(EARLIER)
    assert (decision.gates[0].aspect, decision.gates[0].outcome) == ("advantage", "not evaluated")
    assert json.loads(decision.model_dump_json()) == json.loads(EARLIER)


# --- properties -----------------------------------------------------------------------------------------------------

shares = st.floats(0, 1)
signed = st.floats(-1, 1)


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    low, middle, high = sorted(draw(st.tuples(signed, signed, signed)))
    return Comparison(middle, Interval(low, high, 0.9), 0.5)


@st.composite
def floors(draw: st.DrawFn) -> Floor:
    if draw(st.sampled_from([False, False, False, True])):
        return Floor(failure="its files are gone")
    return Floor({"map50": draw(shares)}, Comparisons({"map50": draw(comparisons())}))


@st.composite
def cases(draw: st.DrawFn) -> Evidence:
    """Evidence of every kind, also around the limits of the policy, with a champion or without."""
    near = st.sampled_from([0.3, 0.5, 0.99, 1.0]) | shares
    challenger = MeasuredModel(
        "2",
        draw(st.sampled_from(["", "", "", "broken"])),
        {"map50": draw(near)},
        {name: {"ap50": draw(near)} for name in ("cat", "dog")},
        draw(near),
        draw(st.floats(0, 2)),
        draw(st.floats(0, 4)),
    )
    classes = {name: {"ap50": draw(comparisons())} for name in ("cat", "dog")}
    return Evidence(
        challenger=challenger,
        champion=draw(st.none() | st.sampled_from([measured("1"), MeasuredModel("1", "gone")])),
        comparison=Comparisons({"map50": draw(comparisons())}, classes),
        base=draw(floors()),
        baseline=draw(floors()),
        test_images=40,
        leaked_images=draw(st.sampled_from([0, 0, 0, 2, None])),
        versions_of_other_tests=draw(st.sampled_from([(), (), ("1",)])),
        samples=100,
        invalid_samples=draw(st.sampled_from([0, 0, 5])),
        rollback_reason=draw(st.sampled_from(["", "", "taken back"])),
    )


def lower(comparison: Comparison, by: float) -> Comparison:
    interval = Interval(comparison.interval.low - by, comparison.interval.high - by, comparison.interval.level)
    return replace(comparison, difference=comparison.difference - by, interval=interval)


def nearer(floor: Floor, by: float) -> Floor:
    """Return a floor that is less far below the challenger."""
    if floor.failure:
        return floor
    return replace(floor, comparison=Comparisons({"map50": lower(floor.comparison.scores["map50"], by)}))


def with_challenger(case: Evidence, **values: Any) -> Evidence:
    assert case.challenger is not None
    return replace(case, challenger=replace(case.challenger, **values))


def worsened(case: Evidence, what: str, by: float) -> Evidence:
    """Return evidence in which one thing is worse by some amount."""
    model = case.challenger
    assert model is not None
    assert model.valid_answers is not None
    assert model.seconds_per_image is not None
    assert model.memory_gib is not None
    scores, classes = case.comparison.scores, case.comparison.per_class
    changes = {
        "score": lambda: with_challenger(case, scores={"map50": model.scores["map50"] - by}),
        "class": lambda: with_challenger(
            case, per_class={**model.per_class, "cat": {"ap50": model.per_class["cat"]["ap50"] - by}}
        ),
        "valid": lambda: with_challenger(case, valid_answers=model.valid_answers - by),
        "slower": lambda: with_challenger(case, seconds_per_image=model.seconds_per_image + by),
        "larger": lambda: with_challenger(case, memory_gib=model.memory_gib + by),
        "broken": lambda: with_challenger(case, failure="broken"),
        "gain": lambda: replace(case, comparison=Comparisons({"map50": lower(scores["map50"], by)}, classes)),
        "class gain": lambda: replace(
            case, comparison=Comparisons(scores, {**classes, "cat": {"ap50": lower(classes["cat"]["ap50"], by)}})
        ),
        "base": lambda: replace(case, base=nearer(case.base, by)),
        "baseline": lambda: replace(case, baseline=nearer(case.baseline, by)),
        "leak": lambda: replace(case, leaked_images=1),
        "leak unknown": lambda: replace(case, leaked_images=None),
        "other test": lambda: replace(case, versions_of_other_tests=("1", "2")),
        "bad rows": lambda: replace(case, invalid_samples=case.invalid_samples + 1),
        "rolled back before": lambda: replace(case, rollback_reason="again"),
    }
    return changes[what]()


WORSE = ["score", "class", "valid", "slower", "larger", "broken", "gain", "class gain", "leak", "leak unknown"]
WORSE += ["base", "baseline", "other test", "bad rows", "rolled back before"]


@given(cases(), st.sampled_from(WORSE), shares)
def test_worse_evidence_never_gives_a_better_verdict(case: Evidence, what: str, by: float) -> None:
    before, after = decide(POLICY, case), decide(POLICY, worsened(case, what, by))
    assert RANK[after.verdict] <= RANK[before.verdict]


@given(cases())
def test_only_a_challenger_that_passed_every_gate_is_promoted_and_others_get_the_reasons(case: Evidence) -> None:
    decision = decide(POLICY, case)
    assert (decision.verdict == "promote") == (not obstacles(decision))
    assert (decision.exit_status == 0) == (decision.verdict == "promote")
    for failed in obstacles(decision):
        if failed.passed is False:
            assert failed.why in decision.why


@given(cases(), st.floats(0, 0.5), shares)
def test_a_stricter_policy_never_gives_a_better_verdict(case: Evidence, improvement: float, floor: float) -> None:
    stricter = {"improvement": improvement, "class_floor": max(POLICY.class_floor, floor), "class_regression": 0.0}
    strict = decide(POLICY.model_copy(update=stricter), case)
    assert RANK[strict.verdict] <= RANK[decide(POLICY, case).verdict]


@given(cases())
def test_the_decision_is_a_function_of_its_arguments(case: Evidence) -> None:
    assert decide(POLICY, case) == decide(POLICY, case)
