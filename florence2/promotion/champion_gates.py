"""The gates between a challenger and the champion: both on the same test images, and better beyond chance."""

from __future__ import annotations

from collections.abc import Iterator

from florence2.config import PromotionConfig
from florence2.evaluation import Comparison, score_named
from florence2.promotion.evidence import Evidence, MeasuredModel
from florence2.promotion.gate import Gate
from florence2.promotion.model_gates import list_classes, primary_score

__all__ = ["champion_gates"]

_DIGITS = 9
"""Decimals that count: two ways to compute the same score differ by rounding errors of 1e-16."""

_FEW_IMAGES = 30
"""With fewer images the intervals are too narrow, see ``florence2.evaluation.bootstrap``."""


def champion_gates(policy: PromotionConfig, evidence: Evidence, champion: MeasuredModel) -> Iterator[Gate]:
    """Yield whether there is a reason to replace the champion.

    Args:
        policy: what is required.
        evidence: with a challenger.
        champion: the champion of the evidence.

    Raises:
        ConfigurationError: the policy requires a score that the test split does not define.
    """
    assert evidence.challenger is not None
    primary_score(policy, evidence.challenger)  # raises where the test split does not define it
    if policy.same_test:
        yield _same_test(evidence)
    if evidence.rollback_reason:
        why = f"It was champion and was rolled back: {evidence.rollback_reason}"
        yield _failed("not_rolled_back", "Not rolled back before", why)
    if champion.failure:
        why = f"Version {champion.version} is champion but cannot be used: {champion.failure}"
        yield _failed("champion", "Champion answers", why)
    yield _improvement(policy, evidence, champion)
    yield from _class_regression(policy, evidence)


def _failed(name: str, title: str, why: str) -> Gate:
    return Gate(name=name, title=title, aspect="advantage", value=None, limit=None, passed=False, why=why)


def _same_test(evidence: Evidence) -> Gate:
    others = " and ".join(f"version {version}" for version in evidence.versions_of_other_tests)
    return Gate(
        name="same_test",
        title="Test split unchanged",
        aspect="advantage",
        value=len(evidence.versions_of_other_tests),
        limit=0,
        passed=not others,
        why=f"Registered with another test split: {others}; if this change was intended, set same_test to false."
        if others
        else "Both versions were registered with this test split.",
    )


def _improvement(policy: PromotionConfig, evidence: Evidence, champion: MeasuredModel) -> Gate:
    """Return whether even the lower bound of the gain is beyond the improvement that is required."""
    compared = evidence.comparison.scores.get(policy.primary)
    least, why = None, "The two models could not be compared."
    if compared is not None:
        least, gain = _lower_bound(policy.primary, compared), _gain(policy.primary, compared.difference)
        why = (
            f"{gain:+.3f} against version {champion.version}, {least:+.3f} or more at {policy.confidence:.0%} "
            f"confidence; more than {policy.improvement:g} is required."
        )
        if evidence.test_images < _FEW_IMAGES:
            why += f" With {evidence.test_images} test images the interval is narrower than it should be."
    return Gate(
        name="improvement",
        title=f"Gain in {score_named(policy.primary).title}",
        aspect="advantage",
        value=least,
        limit=policy.improvement,
        passed=None if least is None else round(least - policy.improvement, _DIGITS) > 0,
        why=why,
    )


def _class_regression(policy: PromotionConfig, evidence: Evidence) -> Iterator[Gate]:
    """Yield whether a class is worse by more than the limit, unless the difference may be chance."""
    score = policy.class_score
    compared = {name: scores[score] for name, scores in evidence.comparison.per_class.items() if score in scores}
    if not compared:
        return
    gains = {name: _gain(score, each.difference) for name, each in compared.items()}
    drops = {name: gain for name, gain in gains.items() if round(-gain - policy.class_regression, _DIGITS) > 0}
    worse = {name: gain for name, gain in drops.items() if round(_upper_bound(score, compared[name]), _DIGITS) < 0}
    if worse:
        why = f"Worse than the champion in {list_classes(worse, '{:+.3f}')}."
    elif drops:
        why = f"Worse in {list_classes(drops, '{:+.3f}')}, which may be chance."
    else:
        why = f"No class is worse by more than {policy.class_regression:g}."
    yield Gate(
        name="class_regression",
        title=f"Loss in any class, {policy.class_score.upper()}",
        aspect="advantage",
        value=max(0.0, -min((worse or gains).values())),
        limit=policy.class_regression,
        passed=not worse,
        why=why,
    )


def _gain(score: str, difference: float) -> float:
    """Return a difference with the sign by which more is better."""
    return difference if score_named(score).higher_is_better else -difference


def _lower_bound(score: str, compared: Comparison) -> float:
    return min(_gain(score, compared.interval.low), _gain(score, compared.interval.high))


def _upper_bound(score: str, compared: Comparison) -> float:
    return max(_gain(score, compared.interval.low), _gain(score, compared.interval.high))
