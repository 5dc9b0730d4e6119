"""The gates between a challenger and the champion: both on the same test images, and better beyond chance."""

from __future__ import annotations

from collections.abc import Iterator

from florence2.config import PromotionConfig
from florence2.evaluation import score_named
from florence2.promotion.evidence import Evidence, MeasuredModel
from florence2.promotion.gains import exceeds, gain_in, note_on_few_images
from florence2.promotion.gate import Gate
from florence2.promotion.model_gates import list_classes, primary_score

__all__ = ["champion_gates"]


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
        gain = gain_in(policy.primary, compared)
        least = gain.low
        why = (
            f"{gain.value:+.3f} against version {champion.version}, {least:+.3f} or more at {policy.confidence:.0%} "
            f"confidence; more than {policy.improvement:g} is required.{note_on_few_images(evidence.test_images)}"
        )
    return Gate(
        name="improvement",
        title=f"Gain in {score_named(policy.primary).title}",
        aspect="advantage",
        value=least,
        limit=policy.improvement,
        passed=None if least is None else exceeds(least, policy.improvement),
        why=why,
    )


def _class_regression(policy: PromotionConfig, evidence: Evidence) -> Iterator[Gate]:
    """Yield whether a class is worse by more than the limit, unless the difference may be chance."""
    score = policy.class_score
    compared = {name: scores[score] for name, scores in evidence.comparison.per_class.items() if score in scores}
    if not compared:
        return
    gains = {name: gain_in(score, each) for name, each in compared.items()}
    values = {name: gain.value for name, gain in gains.items()}
    drops = {name: value for name, value in values.items() if exceeds(-value, policy.class_regression)}
    worse = {name: value for name, value in drops.items() if exceeds(0, gains[name].high)}
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
        value=max(0.0, -min((worse or values).values())),
        limit=policy.class_regression,
        passed=not worse,
        why=why,
    )
