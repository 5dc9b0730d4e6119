"""Which gates there are, and in which order."""

from __future__ import annotations

from florence2.promotion.gates import evaluate_gates
from tests.evidence import POLICY, evidence


def test_gates_are_in_the_order_in_which_they_are_shown() -> None:
    assert [gate.name for gate in evaluate_gates(POLICY, evidence())] == [
        *("serving", "latency", "memory", "unseen_test", "data_checks", "minimum", "valid_answers", "class_floor"),
        *("better_than_base", "better_than_baseline"),
        *("same_test", "improvement", "class_regression"),
    ]


def test_without_a_champion_there_are_no_gates_about_it() -> None:
    assert {gate.aspect for gate in evaluate_gates(POLICY, evidence(champion=None))} == {"serving", "model", "floor"}


def test_the_floor_can_be_turned_off() -> None:
    without = POLICY.model_copy(update={"floor": False})
    assert {gate.aspect for gate in evaluate_gates(without, evidence())} == {"serving", "model", "advantage"}
