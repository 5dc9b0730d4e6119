"""``Evidence``: everything that a promotion is decided on, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from florence2.evaluation import Comparisons

__all__ = ["Evidence", "Measured"]


@dataclass(frozen=True)
class Measured:
    """What one model showed, asked afresh on the test split and in a process of its own.

    Attributes:
        version: in the registry.
        failure: why it could not be loaded or asked; empty where it could, and then the rest is known.
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
class Evidence:
    """What a promotion is decided on.

    Attributes:
        challenger: the model that would become champion; None where there is none.
        champion: the model that it would replace; None where there is none yet.
        comparison: the challenger against the champion on the same images, with intervals of the level
            ``2 * confidence - 1``, whose ends are bounds of that confidence; empty where nothing can be compared.
        test_images: images in the test split.
        trained_on: how many of them were among the images that the challenger was trained on; None: not known.
        training_unknown: why that is not known.
        other_tests: versions that were registered with another test split than the present one.
        rows: of the data set.
        bad_rows: those that were left out because they break a rule.
        withdrawn: why the challenger was taken back as champion before; empty: it was not.
    """

    challenger: Measured | None = None
    champion: Measured | None = None
    comparison: Comparisons = field(default_factory=Comparisons)
    test_images: int = 0
    trained_on: int | None = None
    training_unknown: str = ""
    other_tests: tuple[str, ...] = ()
    rows: int = 0
    bad_rows: int = 0
    withdrawn: str = ""
