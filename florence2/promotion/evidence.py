"""``Evidence``: all that a promotion is decided on, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from florence2.evaluation import Comparisons

__all__ = ["Evidence", "Floor", "MeasuredModel"]


@dataclass(frozen=True)
class MeasuredModel:
    """What was measured of one model, on the test split and in a process of its own.

    Attributes:
        version: in the registry.
        failure: why the model could not be loaded or evaluated; empty where it could, and then the rest is known.
        scores: over the test split, by name.
        per_class: scores of each class, by its name.
        valid_answers: share of the answers that are neither cut nor malformed, in 0..1.
        seconds_per_image: median time for one answer to one image.
        memory_gib: greatest memory of the process that answered, or of its GPU if that was more.
    """

    version: str
    failure: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    per_class: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    valid_answers: float | None = None
    seconds_per_image: float | None = None
    memory_gib: float | None = None


@dataclass(frozen=True)
class Floor:
    """What a challenger must be better than, whoever is champion: its base, or answers without the image.

    Attributes:
        scores: over the test split, by name.
        comparison: the challenger against it on the same images, with intervals as those against the champion; empty
            where nothing can be compared.
        failure: why it could not be evaluated, and what to do; empty where it was, and then the rest is known.
    """

    scores: Mapping[str, float] = field(default_factory=dict)
    comparison: Comparisons = field(default_factory=Comparisons)
    failure: str = ""


_NOT_EVALUATED = Floor(failure="it was not evaluated")


@dataclass(frozen=True)
class Evidence:
    """What a promotion is decided on.

    Attributes:
        challenger: the model that would become champion; None where there is none.
        champion: the model that it would replace; None where there is none yet.
        comparison: the challenger against the champion on the same images, with intervals of the level
            ``2 * confidence - 1``, whose ends are bounds of that confidence; empty where nothing can be compared.
        base: the model from which the challenger was trained.
        baseline: answers without the image, see ``florence2.evaluation.evaluate_baseline``.
        test_images: number of images in the test split.
        leaked_images: how many of them the challenger was trained on; None: not known.
        leak_unknown: why that is not known.
        versions_of_other_tests: versions that were registered with another test split than the present one.
        samples: number of samples in the data set.
        invalid_samples: how many were left out because they break a rule.
        rollback_reason: why the challenger was rolled back as champion before; empty: it was not.
    """

    challenger: MeasuredModel | None = None
    champion: MeasuredModel | None = None
    comparison: Comparisons = field(default_factory=Comparisons)
    base: Floor = _NOT_EVALUATED
    baseline: Floor = _NOT_EVALUATED
    test_images: int = 0
    leaked_images: int | None = None
    leak_unknown: str = ""
    versions_of_other_tests: tuple[str, ...] = ()
    samples: int = 0
    invalid_samples: int = 0
    rollback_reason: str = ""
