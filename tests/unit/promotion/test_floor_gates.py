"""The floor: what has learnt nothing becomes no champion, also no first one."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from florence2.config import EvaluationConfig, PromotionConfig
from florence2.datasets.checks.report import ValidationReport
from florence2.errors import ConfigurationError
from florence2.evaluation.baselines.baseline import evaluate_baseline
from florence2.evaluation.bootstrap import Comparisons
from florence2.evaluation.evaluated import Evaluated, describe
from florence2.promotion.candidates import Candidate, Candidates
from florence2.promotion.decision import Decision, decide
from florence2.promotion.evidence import Floor, MeasuredModel
from florence2.promotion.floor_gates import floor_gates
from florence2.promotion.gate import Gate
from florence2.promotion.gathering import gather_evidence
from florence2.promotion.serving import ServingCheck
from tests.answers import PRIMARY, answers_of, dataset, evaluated, shuffled
from tests.evidence import POLICY, compared, evidence, measured


def gates(policy: PromotionConfig = POLICY, **values: Any) -> dict[str, Gate]:
    return {gate.name: gate for gate in floor_gates(policy, evidence(**values))}


def floor(low: float, high: float, score: float = 0.1) -> Floor:
    return Floor({"map50": score}, Comparisons({"map50": compared(low, high)}))


def test_the_reason_has_both_scores_the_difference_and_its_interval() -> None:
    gate = gates(base=floor(0.65, 0.75))["better_than_base"]
    assert (gate.passed, gate.value, gate.limit) == (True, 0.65, 0.0)
    assert gate.title == "Gain in mAP50 over the base"
    assert gate.why == "0.800 against 0.100: +0.700, +0.650 to +0.750; more than 0 is required at 95% confidence."


def test_a_difference_that_may_be_chance_does_not_suffice() -> None:
    gate = gates(baseline=floor(-0.01, 0.2, score=0.705), test_images=12)["better_than_baseline"]
    assert gate.passed is False
    assert "It is not proven that it has learnt anything from the images." in gate.why
    assert "With 12 test images" in gate.why


def test_less_is_better_where_the_score_counts_errors() -> None:
    name = "character_error_rate"
    worse, better = (
        gates(
            PromotionConfig(primary=name),
            challenger=measured("2", scores={name: 0.2}),
            base=Floor({name: 0.3}, Comparisons({name: compared(low, high)})),
        )["better_than_base"]
        for low, high in ((0.05, 0.15), (-0.15, -0.05))
    )
    assert (worse.passed, better.passed) == (False, True)
    assert "+0.100, +0.050 to +0.150" in better.why


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (
            {"base": Floor(failure="it has changed; train again")},
            "The base: it has changed; train again. To decide without it, set promotion.floor to false.",
        ),
        ({"base": Floor({"map50": 0.1})}, "They could not be compared: the test split has fewer than two images"),
        ({"challenger": MeasuredModel("2", "no weights")}, "It could not be evaluated."),
    ],
)
def test_what_is_not_known_is_not_passed_and_says_why(values: dict[str, Any], why: str) -> None:
    gate = gates(**values)["better_than_base"]
    assert (gate.passed, gate.value) == (None, None)
    assert gate.why.startswith(why)


def test_a_score_that_the_test_split_does_not_define_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match=r"promotion\.primary: .* 'anls'; it defines map50"):
        gates(PromotionConfig(primary="anls"))


# --- models that have learnt nothing ---------------------------------------------------------------------------------


@cache
def floors(token: str) -> dict[str, Evaluated]:
    """Return base and baseline of a task; the base answers nothing."""
    data, config = dataset(token), EvaluationConfig(resamples=100)
    test = data.select("test")
    baseline = Evaluated(*describe(evaluate_baseline(data.select("train"), test, config), config))
    return {"base": evaluated(test, [""] * len(test), config), "baseline": baseline}


def first_decision(token: str, answers: list[str]) -> Decision:
    """Return the decision on a first challenger with these answers."""
    data = dataset(token)
    test = data.select("test")
    policy = PromotionConfig(primary=PRIMARY[token], valid_answers=0)
    one = {"name": "n", "uri": "", "tracking_uri": "", "content": "", "test_fingerprint": test.fingerprint}
    found = gather_evidence(
        policy,
        Candidates(challenger=Candidate(version="1", **one), champion=None),
        {"1": (ServingCheck(), evaluated(test, answers, EvaluationConfig(resamples=100)))},
        test,
        ValidationReport(len(data), 0, {}, {}, (), (), ""),
        frozenset(),
        **floors(token),
    )
    return decide(policy, found)


def mostly(right: list[str], wrong: list[str], share: float) -> list[str]:
    """Return the right answer in so many of the samples, the wrong one in the others."""
    chosen = np.random.default_rng(1).random(len(right)) < share
    return [a if is_right else b for a, b, is_right in zip(right, wrong, chosen, strict=True)]


@pytest.mark.parametrize("token", PRIMARY)
@pytest.mark.parametrize("model", ["shuffled answers", "shuffled images", "one step", "trained"])
def test_only_a_model_that_has_learnt_from_images_becomes_the_first_champion(token: str, model: str) -> None:
    data = dataset(token)
    test, right = data.select("test"), answers_of(data.select("test"))
    answers = {
        # It has learnt which answers there are, and draws from them.
        "shuffled answers": list(np.random.default_rng(2).permutation(answers_of(data.select("train")))[: len(right)]),
        # It answers well, about another image.
        "shuffled images": shuffled(test),
        # It answers as its base does, but for one sample.
        "one step": [""] * (len(right) - 1) + right[-1:],
        "trained": mostly(right, shuffled(test), 0.7),
    }[model]
    decision = first_decision(token, answers)
    failed = [gate.name for gate in decision.gates if not gate.passed]
    if model == "trained":
        assert (decision.verdict, failed) == ("promote", []), decision.why
    else:
        assert (decision.verdict, decision.exit_status) == ("hold", 3), decision.why
        assert "better_than_baseline" in failed
        assert "It is not proven that it has learnt anything from the images." in decision.why
