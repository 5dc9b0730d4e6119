"""The floor: a challenger is better than the model it was trained from and than answers without the image.

Without it a first champion is compared with nothing, and a model that has learnt nothing passes every gate.
"""

from __future__ import annotations

from collections.abc import Iterator

from florence2.config import PromotionConfig
from florence2.evaluation import score_named
from florence2.promotion.evidence import Evidence
from florence2.promotion.gains import Gain, exceeds, gain_in, note_on_few_images
from florence2.promotion.gate import Gate
from florence2.promotion.model_gates import primary_score

__all__ = ["floor_gates"]

_NOT_COMPARED = (
    "They could not be compared: the test split has fewer than two images, evaluation.resamples is 0, or the score "
    "cannot be computed on resamples."
)

_NO_GAIN = {
    "base": " It is not proven that the training was of use: train longer, with another recipe, or on more images.",
    "baseline": " It is not proven that it has learnt anything from the images.",
}
"""What follows from a gate that is not passed, by its floor."""


def floor_gates(policy: PromotionConfig, evidence: Evidence) -> Iterator[Gate]:
    """Yield whether the primary score is beyond chance better than that of the base, and than that of the baseline.

    Args:
        policy: what is required.
        evidence: with a challenger.

    Raises:
        ConfigurationError: the policy requires a score that the test split does not define.
    """
    assert evidence.challenger is not None
    value = primary_score(policy, evidence.challenger)
    for name, subject, floor in (
        ("base", "the base", evidence.base),
        ("baseline", "answers without the image", evidence.baseline),
    ):
        compared = None if floor.failure or value is None else floor.comparison.scores.get(policy.primary)
        gain = None if compared is None else gain_in(policy.primary, compared)
        if floor.failure:
            why = f"{subject.capitalize()}: {floor.failure}. To decide without it, set promotion.floor to false."
        elif value is None:
            why = "It could not be evaluated."
        elif gain is None:
            why = _NOT_COMPARED
        else:
            why = f"{value:.3f} against {floor.scores[policy.primary]:.3f}: {_describe(gain, policy)}"
            why += "" if exceeds(gain.low, 0) else _NO_GAIN[name]
            why += note_on_few_images(evidence.test_images)
        yield Gate(
            name=f"better_than_{name}",
            title=f"Gain in {score_named(policy.primary).title} over {subject}",
            aspect="floor",
            value=None if gain is None else gain.low,
            limit=0.0,
            passed=None if gain is None else exceeds(gain.low, 0),
            why=why,
        )


def _describe(gain: Gain, policy: PromotionConfig) -> str:
    return (
        f"{gain.value:+.3f}, {gain.low:+.3f} to {gain.high:+.3f}; "
        f"more than 0 is required at {policy.confidence:.0%} confidence."
    )
