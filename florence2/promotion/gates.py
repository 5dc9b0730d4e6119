"""The gates: each looks at one thing and says its value, its limit, and in a sentence why it was passed or not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from florence2.config import PromotionConfig
from florence2.errors import ConfigurationError
from florence2.evaluation import Comparison, in_order, score_named
from florence2.promotion.evidence import Evidence, Measured

__all__ = ["Gate", "gates_of"]

_DIGITS = 9
"""Decimals that count: two ways to the same score differ by rounding errors of 1e-16."""

_FEW_IMAGES = 30
"""Below so many the intervals are too narrow, see ``florence2.evaluation.bootstrap``."""


class Gate(BaseModel):
    """One condition of a promotion.

    Attributes:
        name: for programs.
        title: for people.
        judges: model: its scores and what it was trained on; serving: the model as it is served, seen by another
            program than that which measured its scores; advantage: whether it is a reason to replace the champion.
        value: what was found; None where nothing could be.
        limit: what the policy asks for; None where it asks for no number.
        passed: None where it could not be judged.
        why: in a sentence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    judges: Literal["model", "serving", "advantage"]
    value: float | None
    limit: float | None
    passed: bool | None
    why: str

    @property
    def outcome(self) -> str:
        """Return what became of it in a word or two."""
        return {True: "passed", False: "failed", None: "not judged"}[self.passed]


def gates_of(policy: PromotionConfig, evidence: Evidence) -> tuple[Gate, ...]:
    """Judge a challenger by every gate that the policy and the situation ask for.

    Without a champion there is nothing to compare with: the first model meets the other gates alone.

    Args:
        policy: what is asked for.
        evidence: with a challenger.

    Raises:
        ConfigurationError: the policy asks for a score that the test split does not define.
    """
    assert evidence.challenger is not None
    return (
        *_serving(policy, evidence.challenger),
        *_data(policy, evidence),
        *_scores(policy, evidence.challenger),
        *(_advantage(policy, evidence, evidence.champion) if evidence.champion is not None else ()),
    )


def _serving(policy: PromotionConfig, model: Measured) -> Iterator[Gate]:
    loads = not model.failure
    why = (
        "A fresh process loaded it by its registry URI and answered."
        if loads
        else f"It cannot be used: {model.failure}"
    )
    yield Gate(
        name="serving", title="Loads and answers", judges="serving", value=None, limit=None, passed=loads, why=why
    )
    for name, title, value, limit, unit in (
        ("latency", "Time for an answer", model.seconds_per_image, policy.seconds_per_image, "s"),
        ("memory", "Memory", model.memory_gib, policy.memory_gib, "GiB"),
    ):
        if limit is not None:
            passed = None if value is None else value <= limit
            why = f"{value:.3g} {unit}, at most {limit:g} {unit} are allowed." if value is not None else _NOT_ASKED
            yield Gate(name=name, title=title, judges="serving", value=value, limit=limit, passed=passed, why=why)


def _data(policy: PromotionConfig, evidence: Evidence) -> Iterator[Gate]:
    seen, total = evidence.trained_on, evidence.test_images
    if seen is None:
        why = f"It is not known on which images it was trained: {evidence.training_unknown}"
    elif seen:
        why = f"It was trained on {seen} of the {total} test images: its scores there mean nothing."
    else:
        why = f"None of the {total} test images was among those it was trained on."
    yield Gate(
        name="unseen_test",
        title="Test images unseen",
        judges="model",
        value=seen,
        limit=0,
        passed=seen == 0,
        why=why,
    )
    share = evidence.bad_rows / evidence.rows if evidence.rows else 0.0
    yield Gate(
        name="data_checks",
        title="Data checks",
        judges="model",
        value=share,
        limit=policy.bad_rows,
        passed=share <= policy.bad_rows,
        why=f"{evidence.bad_rows} of {evidence.rows} rows were left out as invalid.",
    )


def _scores(policy: PromotionConfig, model: Measured) -> Iterator[Gate]:
    primary = score_named(policy.primary)
    if policy.minimum is not None:
        value = _primary(policy, model)
        better = 1 if primary.higher_is_better else -1
        passed = None if value is None else better * value >= better * policy.minimum
        bound = "at least" if better > 0 else "at most"
        yield Gate(
            name="minimum",
            title=primary.title,
            judges="model",
            value=value,
            limit=policy.minimum,
            passed=passed,
            why=f"{value:.3f}, {bound} {policy.minimum:g} is asked for." if value is not None else _NOT_ASKED,
        )
    valid = model.valid_answers
    yield Gate(
        name="valid_answers",
        title="Valid answers",
        judges="model",
        value=valid,
        limit=policy.valid_answers,
        passed=None if valid is None else valid >= policy.valid_answers,
        why=f"{valid:.1%} of the answers are neither cut nor malformed." if valid is not None else _NOT_ASKED,
    )
    yield from _class_floor(policy, model)


def _class_floor(policy: PromotionConfig, model: Measured) -> Iterator[Gate]:
    values = _of_classes(policy, model.per_class)
    if policy.class_floor == 0 or (not values and not model.failure):
        return
    weak = {name: value for name, value in values.items() if value < policy.class_floor}
    if not values:
        why = _NOT_ASKED
    elif weak:
        why = f"Below {policy.class_floor:g}: {_listed(weak, '{:.3f}')}."
    else:
        why = f"Every class reaches {policy.class_floor:g}."
    yield Gate(
        name="class_floor",
        title=f"Every class, {policy.class_score.upper()}",
        judges="model",
        value=min(values.values(), default=None),
        limit=policy.class_floor,
        passed=not weak if values else None,
        why=why,
    )


def _advantage(policy: PromotionConfig, evidence: Evidence, champion: Measured) -> Iterator[Gate]:
    if policy.same_test:
        others = " and ".join(f"version {version}" for version in evidence.other_tests)
        yield Gate(
            name="same_test",
            title="Test split unchanged",
            judges="advantage",
            value=len(evidence.other_tests),
            limit=0,
            passed=not evidence.other_tests,
            why=f"Registered with another test split: {others}; if you changed it on purpose, set same_test to false."
            if others
            else "Both versions were registered with this test split.",
        )
    if evidence.withdrawn:
        yield Gate(
            name="not_withdrawn",
            title="Not taken back before",
            judges="advantage",
            value=None,
            limit=None,
            passed=False,
            why=f"It was champion and was rolled back: {evidence.withdrawn}",
        )
    if champion.failure:
        yield Gate(
            name="champion",
            title="Champion answers",
            judges="advantage",
            value=None,
            limit=None,
            passed=False,
            why=f"Version {champion.version} is champion but cannot be used: {champion.failure}",
        )
    yield _improvement(policy, evidence, champion)
    yield from _class_regression(policy, evidence)


def _improvement(policy: PromotionConfig, evidence: Evidence, champion: Measured) -> Gate:
    """Ask whether the bound of the difference, on the champion's side, is beyond the improvement that is required."""
    compared = evidence.comparison.scores.get(policy.primary)
    assert evidence.challenger is not None
    _primary(policy, evidence.challenger)
    title = score_named(policy.primary).title
    least = None if compared is None else _worst_end(policy.primary, compared)
    if compared is None or least is None:
        why = "The two models could not be compared."
    else:
        gain = _gain(policy.primary, compared.difference)
        why = (
            f"{gain:+.3f} against version {champion.version}, {least:+.3f} or more at {policy.confidence:.0%} "
            f"confidence; more than {policy.improvement:g} is asked for."
        )
        if evidence.test_images < _FEW_IMAGES:
            why += f" With {evidence.test_images} test images the bootstrap is surer than it should be."
    return Gate(
        name="improvement",
        title=f"Gain in {title}",
        judges="advantage",
        value=least,
        limit=policy.improvement,
        passed=None if least is None else round(least - policy.improvement, _DIGITS) > 0,
        why=why,
    )


def _class_regression(policy: PromotionConfig, evidence: Evidence) -> Iterator[Gate]:
    """Ask for classes that are worse by more than the limit on the test split, and beyond chance worse at all."""
    score = policy.class_score
    compared = {name: of_class[score] for name, of_class in evidence.comparison.per_class.items() if score in of_class}
    if not compared:
        return
    gains = {name: _gain(score, each.difference) for name, each in compared.items()}
    drops = {name: gain for name, gain in gains.items() if round(-gain - policy.class_regression, _DIGITS) > 0}
    worse = {name: gain for name, gain in drops.items() if round(_best_end(score, compared[name]), _DIGITS) < 0}
    if worse:
        why = f"Worse than the champion in {_listed(worse, '{:+.3f}')}."
    elif drops:
        why = f"Worse in {_listed(drops, '{:+.3f}')}, which may be chance."
    else:
        why = f"No class is worse by more than {policy.class_regression:g}."
    yield Gate(
        name="class_regression",
        title=f"Loss in any class, {policy.class_score.upper()}",
        judges="advantage",
        value=max(0.0, -min((worse or gains).values())),
        limit=policy.class_regression,
        passed=not worse,
        why=why,
    )


_NOT_ASKED = "It could not be asked."


def _primary(policy: PromotionConfig, model: Measured) -> float | None:
    """Return the primary score; None for a model that could not be asked.

    Raises:
        ConfigurationError: the test split does not define it.
    """
    if model.failure:
        return None
    if policy.primary not in model.scores:
        known = ", ".join(in_order(model.scores)) or "none"
        raise ConfigurationError(
            f"promotion.primary: the test split does not define {policy.primary!r}; it defines {known}"
        )
    return model.scores[policy.primary]


def _of_classes(policy: PromotionConfig, per_class: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return the score of each class; nothing where the test split has no classes.

    Raises:
        ConfigurationError: it has classes, but they have no such score.
    """
    score = policy.class_score
    values = {name: scores[score] for name, scores in per_class.items() if score in scores}
    if per_class and not values:
        known = ", ".join(sorted({name for scores in per_class.values() for name in scores}))
        raise ConfigurationError(f"promotion.class_score: classes have no score {score!r}; they have {known}")
    return values


def _gain(score: str, difference: float) -> float:
    """Return a difference so that more is better."""
    return difference if score_named(score).higher_is_better else -difference


def _worst_end(score: str, compared: Comparison) -> float:
    return min(_gain(score, compared.interval.low), _gain(score, compared.interval.high))


def _best_end(score: str, compared: Comparison) -> float:
    return max(_gain(score, compared.interval.low), _gain(score, compared.interval.high))


def _listed(values: Mapping[str, float], form: str) -> str:
    """Return names with their values, the smallest first."""
    return ", ".join(
        f"{name} ({form.format(value)})" for name, value in sorted(values.items(), key=lambda item: item[1])
    )
