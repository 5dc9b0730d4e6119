"""The pure decision: which verdict follows from which evidence, and that worse evidence never helps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from florence2.config import PromotionConfig
from florence2.errors import ConfigurationError
from florence2.evaluation.bootstrap import Comparison, Comparisons, Interval
from florence2.promotion.decision import Decision, decide
from florence2.promotion.evidence import Evidence, Measured
from florence2.promotion.gates import Gate

POLICY = PromotionConfig(minimum=0.5, class_floor=0.3, class_regression=0.1, seconds_per_image=1.0, memory_gib=2.0)
RANK = {"reject": 0, "hold": 1, "promote": 2}


def measured(version: str, **values: Any) -> Measured:
    good: dict[str, Any] = {
        "scores": {"map50": 0.8},
        "per_class": {"cat": {"ap50": 0.8}, "dog": {"ap50": 0.8}},
        "valid_answers": 1.0,
        "seconds_per_image": 0.1,
        "memory_gib": 1.0,
    }
    return Measured(version, **good | values)


def compared(low: float, high: float) -> Comparison:
    return Comparison((low + high) / 2, Interval(low, high, 0.9), 0.5)


def evidence(**values: Any) -> Evidence:
    good: dict[str, Any] = {
        "challenger": measured("2"),
        "champion": measured("1"),
        "comparison": Comparisons(
            {"map50": compared(0.05, 0.2)}, {"cat": {"ap50": compared(0.0, 0.2)}, "dog": {"ap50": compared(0.1, 0.2)}}
        ),
        "test_images": 40,
        "trained_on": 0,
        "rows": 100,
    }
    return Evidence(**good | values)


def gate(decision: Decision, name: str) -> Gate:
    return next(gate for gate in decision.gates if gate.name == name)


def obstacles(decision: Decision) -> list[Gate]:
    return [gate for gate in decision.gates if not gate.passed]


def test_a_better_challenger_is_promoted() -> None:
    decision = decide(POLICY, evidence())
    assert (decision.verdict, decision.exit_status, obstacles(decision)) == ("promote", 0, [])
    assert decision.why == "Version 2 becomes champion in place of version 1: it passed every gate."
    assert gate(decision, "improvement").value == 0.05


def test_no_challenger_and_a_challenger_that_is_champion_already_are_nothing_to_do() -> None:
    assert decide(POLICY, evidence(challenger=None)).why == "There is no challenger."
    same = decide(POLICY, evidence(challenger=measured("1")))
    assert (same.verdict, same.exit_status, same.gates) == ("nothing", 0, ())


def test_the_first_model_meets_minimum_and_floors_but_no_comparison() -> None:
    first = decide(POLICY, evidence(champion=None, comparison=Comparisons()))
    assert first.verdict == "promote"
    assert "first champion" in first.why
    assert {gate.judges for gate in first.gates} == {"model", "serving"}
    weak = measured("2", scores={"map50": 0.4})
    assert decide(POLICY, evidence(champion=None, comparison=Comparisons(), challenger=weak)).verdict == "reject"


def test_equal_models_hold() -> None:
    decision = decide(POLICY, evidence(comparison=Comparisons({"map50": compared(0.0, 0.0)})))
    assert (decision.verdict, decision.exit_status) == ("hold", 3)
    assert [gate.name for gate in obstacles(decision)] == ["improvement"]


def test_rounding_errors_are_no_gain() -> None:
    assert decide(POLICY, evidence(comparison=Comparisons({"map50": compared(1e-16, 1e-16)}))).verdict == "hold"


def test_better_on_average_but_worse_in_a_class_holds_and_names_it() -> None:
    classes = {"cat": {"ap50": compared(-0.4, -0.1)}, "dog": {"ap50": compared(0.2, 0.6)}}
    decision = decide(POLICY, evidence(comparison=Comparisons({"map50": compared(0.05, 0.2)}, classes)))
    assert decision.verdict == "hold"
    assert "Worse than the champion in cat (-0.250)." in decision.why
    assert "dog" not in decision.why


def test_a_drop_in_a_class_that_may_be_chance_is_said_and_let_pass() -> None:
    classes = {"cat": {"ap50": compared(-0.5, 0.0)}}
    decision = decide(POLICY, evidence(comparison=Comparisons({"map50": compared(0.05, 0.2)}, classes)))
    assert decision.verdict == "promote"
    assert gate(decision, "class_regression").why == "Worse in cat (-0.250), which may be chance."


UNFIT: dict[str, tuple[dict[str, Any], str, str]] = {
    "slow": ({"challenger": measured("2", seconds_per_image=1.5)}, "latency", "1.5 s, at most 1 s"),
    "large": ({"challenger": measured("2", memory_gib=3.0)}, "memory", "3 GiB, at most 2 GiB"),
    "weak": ({"challenger": measured("2", scores={"map50": 0.4})}, "minimum", "0.400, at least 0.5"),
    "weak class": (
        {"challenger": measured("2", per_class={"cat": {"ap50": 0.2}, "dog": {"ap50": 0.9}})},
        "class_floor",
        "Below 0.3: cat (0.200).",
    ),
    "cut answers": ({"challenger": measured("2", valid_answers=0.5)}, "valid_answers", "50.0% of the answers"),
    "leaked": ({"trained_on": 3}, "unseen_test", "trained on 3 of the 40 test images"),
    "unknown training": ({"trained_on": None, "training_unknown": "no list"}, "unseen_test", "trained: no list"),
    "bad data": ({"bad_rows": 7}, "data_checks", "7 of 100 rows"),
    "unloadable": ({"challenger": Measured("2", "no weights"), "comparison": Comparisons()}, "serving", "no weights"),
}


@pytest.mark.parametrize("case", UNFIT)
def test_an_unfit_challenger_is_rejected_and_told_why(case: str) -> None:
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
    "another test": ({"other_tests": ("1",)}, "same_test", "another test split: version 1"),
    "rolled back": ({"withdrawn": "it saw ghosts"}, "not_withdrawn", "rolled back: it saw ghosts"),
    "champion gone": (
        {"champion": Measured("1", "its files are gone"), "comparison": Comparisons()},
        "champion",
        "Version 1 is champion but cannot be used: its files are gone",
    ),
}


@pytest.mark.parametrize("case", HELD)
def test_a_challenger_without_a_proven_advantage_is_held_and_told_why(case: str) -> None:
    values, name, why = HELD[case]
    decision = decide(POLICY, evidence(**values))
    assert (decision.verdict, decision.exit_status) == ("hold", 3)
    assert gate(decision, name).passed is False
    assert why in gate(decision, name).why
    assert why in decision.why


def test_models_that_cannot_be_compared_hold() -> None:
    decision = decide(POLICY, evidence(comparison=Comparisons()))
    assert decision.verdict == "hold"
    assert "could not be compared" in decision.why


def test_a_gain_on_few_images_is_said_to_be_less_sure() -> None:
    assert "With 12 test images" in gate(decide(POLICY, evidence(test_images=12)), "improvement").why
    assert "test images" not in gate(decide(POLICY, evidence(test_images=30)), "improvement").why


def test_a_changed_test_split_can_be_allowed() -> None:
    policy = POLICY.model_copy(update={"same_test": False})
    assert decide(policy, evidence(other_tests=("1", "2"))).verdict == "promote"


def test_an_error_rate_is_better_when_it_is_smaller() -> None:
    policy = PromotionConfig(primary="character_error_rate", minimum=0.3, improvement=0.02)
    better = evidence(
        challenger=measured("2", scores={"character_error_rate": 0.2}),
        comparison=Comparisons({"character_error_rate": compared(-0.2, -0.05)}),
    )
    assert decide(policy, better).verdict == "promote"
    worse = replace(better, comparison=Comparisons({"character_error_rate": compared(0.05, 0.2)}))
    assert decide(policy, worse).verdict == "hold"
    high = replace(better, challenger=measured("2", scores={"character_error_rate": 0.4}))
    assert decide(policy, high).verdict == "reject"


def test_a_score_that_the_test_split_does_not_define_is_an_error_that_names_those_it_does() -> None:
    policy = PromotionConfig(primary="anls")
    with pytest.raises(ConfigurationError, match=r"promotion\.primary: .* 'anls'; it defines map50"):
        decide(policy, evidence())


def test_a_score_that_no_class_has_is_an_error_that_names_those_they_have() -> None:
    with pytest.raises(ConfigurationError, match=r"promotion\.class_score: .* 'recall'; they have ap50"):
        decide(PromotionConfig(class_score="recall"), evidence())


def test_limits_that_are_not_set_have_no_gate() -> None:
    names = {gate.name for gate in decide(PromotionConfig(), evidence()).gates}
    assert names.isdisjoint({"minimum", "latency", "memory", "class_floor"})


def test_tags_say_verdict_champion_and_every_gate() -> None:
    tags = decide(POLICY, evidence()).tags()
    assert (tags["decision"], tags["decision_champion"]) == ("promote", "1")
    assert tags["decision_gates"].count("\n") == len(decide(POLICY, evidence()).gates) - 1
    assert all(len(text) <= 5000 for text in tags.values())


def test_a_decision_survives_json() -> None:
    decision = decide(POLICY, evidence(trained_on=None))
    assert Decision.model_validate_json(decision.model_dump_json()) == decision


# --- properties -----------------------------------------------------------------------------------------------------

shares = st.floats(0, 1)
signed = st.floats(-1, 1)


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    low, middle, high = sorted(draw(st.tuples(signed, signed, signed)))
    return Comparison(middle, Interval(low, high, 0.9), 0.5)


@st.composite
def cases(draw: st.DrawFn) -> Evidence:
    """Evidence of every kind, also around the limits of the policy, with a champion or without."""
    near = st.sampled_from([0.3, 0.5, 0.99, 1.0]) | shares
    challenger = Measured(
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
        champion=draw(st.none() | st.sampled_from([measured("1"), Measured("1", "gone")])),
        comparison=Comparisons({"map50": draw(comparisons())}, classes),
        test_images=40,
        trained_on=draw(st.sampled_from([0, 0, 0, 2, None])),
        other_tests=draw(st.sampled_from([(), (), ("1",)])),
        rows=100,
        bad_rows=draw(st.sampled_from([0, 0, 5])),
        withdrawn=draw(st.sampled_from(["", "", "taken back"])),
    )


def lower(comparison: Comparison, by: float) -> Comparison:
    interval = Interval(comparison.interval.low - by, comparison.interval.high - by, comparison.interval.level)
    return replace(comparison, difference=comparison.difference - by, interval=interval)


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
        "leak": lambda: replace(case, trained_on=1),
        "leak unknown": lambda: replace(case, trained_on=None),
        "other test": lambda: replace(case, other_tests=("1", "2")),
        "bad rows": lambda: replace(case, bad_rows=case.bad_rows + 1),
        "withdrawn": lambda: replace(case, withdrawn="again"),
    }
    return changes[what]()


WORSE = ["score", "class", "valid", "slower", "larger", "broken", "gain", "class gain", "leak", "leak unknown"]
WORSE += ["other test", "bad rows", "withdrawn"]


@given(cases(), st.sampled_from(WORSE), shares)
def test_worse_evidence_never_gives_a_better_verdict(case: Evidence, what: str, by: float) -> None:
    before, after = decide(POLICY, case), decide(POLICY, worsened(case, what, by))
    assert RANK[after.verdict] <= RANK[before.verdict]


@given(cases())
def test_only_a_challenger_that_passed_every_gate_is_promoted_and_others_are_told_what_failed(case: Evidence) -> None:
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
