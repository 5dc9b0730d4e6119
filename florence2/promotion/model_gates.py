"""The gates that a challenger has to pass whoever is champion: it serves, its data are valid, its scores suffice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from florence2.config import PromotionConfig
from florence2.errors import ConfigurationError
from florence2.evaluation import in_order, score_named
from florence2.promotion.evidence import Evidence, MeasuredModel
from florence2.promotion.gate import Gate

__all__ = ["data_gates", "list_classes", "primary_score", "score_gates", "serving_gates"]

_NOT_EVALUATED = "It could not be evaluated."


def serving_gates(policy: PromotionConfig, model: MeasuredModel) -> Iterator[Gate]:
    """Yield whether the challenger loads and answers, and whether it is fast and small enough where that is limited."""
    yield Gate(
        name="serving",
        title="Loads and answers",
        aspect="serving",
        value=None,
        limit=None,
        passed=not model.failure,
        why=f"It cannot be used: {model.failure}"
        if model.failure
        else "A fresh process loaded it by its registry URI and answered.",
    )
    if policy.seconds_per_image is not None:
        yield _at_most("latency", "Time for an answer", model.seconds_per_image, policy.seconds_per_image, "s")
    if policy.memory_gib is not None:
        yield _at_most("memory", "Memory", model.memory_gib, policy.memory_gib, "GiB")


def data_gates(policy: PromotionConfig, evidence: Evidence) -> Iterator[Gate]:
    """Yield whether the test images are new to the challenger, and whether enough of the data set is valid."""
    leaked, total = evidence.leaked_images, evidence.test_images
    if leaked is None:
        why = f"The images that it was trained on are not known: {evidence.leak_unknown}"
    elif leaked:
        why = f"It was trained on {leaked} of the {total} test images: its scores there mean nothing."
    else:
        why = f"It was trained on none of the {total} test images."
    yield Gate(
        name="unseen_test",
        title="Test images unseen",
        aspect="model",
        value=leaked,
        limit=0,
        passed=leaked == 0,
        why=why,
    )
    share = evidence.invalid_samples / evidence.samples if evidence.samples else 0.0
    yield Gate(
        name="data_checks",
        title="Data checks",
        aspect="model",
        value=share,
        limit=policy.bad_rows,
        passed=share <= policy.bad_rows,
        why=f"{evidence.invalid_samples} of {evidence.samples} samples are invalid and were left out.",
    )


def score_gates(policy: PromotionConfig, model: MeasuredModel) -> Iterator[Gate]:
    """Yield whether the challenger reaches the minimum, answers validly, and reaches the floor in every class.

    Raises:
        ConfigurationError: the policy requires a score that the test split does not define.
    """
    if policy.minimum is not None:
        yield _minimum(policy.primary, primary_score(policy, model), policy.minimum)
    valid = model.valid_answers
    yield Gate(
        name="valid_answers",
        title="Valid answers",
        aspect="model",
        value=valid,
        limit=policy.valid_answers,
        passed=None if valid is None else valid >= policy.valid_answers,
        why=_NOT_EVALUATED if valid is None else f"{valid:.1%} of the answers are neither cut nor malformed.",
    )
    values = _class_values(policy.class_score, model.per_class)
    if policy.class_floor and (values or model.failure):
        yield _class_floor(policy, values)


def primary_score(policy: PromotionConfig, model: MeasuredModel) -> float | None:
    """Return the primary score of a model; None where the model could not be evaluated.

    Raises:
        ConfigurationError: the test split does not define that score.
    """
    if model.failure:
        return None
    if policy.primary not in model.scores:
        known = ", ".join(in_order(model.scores)) or "none"
        raise ConfigurationError(
            f"promotion.primary: the test split does not define {policy.primary!r}; it defines {known}"
        )
    return model.scores[policy.primary]


def list_classes(values: Mapping[str, float], number: str) -> str:
    """Return classes with their values, the smallest value first.

    Args:
        values: by class.
        number: how each value is written, such as ``{:.3f}``.
    """
    order = sorted(values.items(), key=lambda item: item[1])
    return ", ".join(f"{name} ({number.format(value)})" for name, value in order)


def _at_most(name: str, title: str, value: float | None, limit: float, unit: str) -> Gate:
    return Gate(
        name=name,
        title=title,
        aspect="serving",
        value=value,
        limit=limit,
        passed=None if value is None else value <= limit,
        why=_NOT_EVALUATED if value is None else f"{value:.3g} {unit}, at most {limit:g} {unit} are allowed.",
    )


def _minimum(name: str, value: float | None, minimum: float) -> Gate:
    score = score_named(name)
    passed, why = None, _NOT_EVALUATED
    if value is not None:
        passed = value >= minimum if score.higher_is_better else value <= minimum
        bound = "at least" if score.higher_is_better else "at most"
        why = f"{value:.3f}; {bound} {minimum:g} is required."
    return Gate(name="minimum", title=score.title, aspect="model", value=value, limit=minimum, passed=passed, why=why)


def _class_floor(policy: PromotionConfig, values: Mapping[str, float]) -> Gate:
    weak = {name: value for name, value in values.items() if value < policy.class_floor}
    if not values:
        why = _NOT_EVALUATED
    elif weak:
        why = f"Below {policy.class_floor:g}: {list_classes(weak, '{:.3f}')}."
    else:
        why = f"Every class reaches {policy.class_floor:g}."
    return Gate(
        name="class_floor",
        title=f"Every class, {policy.class_score.upper()}",
        aspect="model",
        value=min(values.values(), default=None),
        limit=policy.class_floor,
        passed=not weak if values else None,
        why=why,
    )


def _class_values(score: str, per_class: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return the value of a score in each class; empty where the test split has no classes.

    Raises:
        ConfigurationError: there are classes, but none has this score. The default one is that of boxes, and fields of
            JSON need not have it.
    """
    values = {name: scores[score] for name, scores in per_class.items() if score in scores}
    if per_class and not values and score != PromotionConfig().class_score:
        known = ", ".join(sorted({name for scores in per_class.values() for name in scores}))
        raise ConfigurationError(f"promotion.class_score: classes have no score {score!r}; they have {known}")
    return values
