"""From what the steps of a promotion measured to the evidence that it is decided on."""

from __future__ import annotations

from collections.abc import Mapping

from florence2.config import PromotionConfig
from florence2.datasets import DatasetManifest, ValidationReport
from florence2.evaluation import Comparisons, paired_comparison
from florence2.promotion.candidates import Candidate, Candidates
from florence2.promotion.evaluated import Evaluated
from florence2.promotion.evidence import Evidence, Measured
from florence2.promotion.serving import ServingCheck

__all__ = ["gather", "standing"]


def gather(
    policy: PromotionConfig,
    candidates: Candidates,
    shown: Mapping[str, tuple[ServingCheck, Evaluated]],
    test_data: DatasetManifest,
    validation: ValidationReport,
    training_images: frozenset[str] | str,
) -> Evidence:
    """Put together what is known of a challenger and of the champion, if there is one.

    Args:
        policy: for the confidence of the comparison.
        candidates: with a challenger.
        shown: how each version served, and its scores, by its number.
        test_data: the test split on which both were asked.
        validation: what the data checks found in the data set.
        training_images: sha256 of each image file that the challenger was trained or validated on; or why that is
            not known.
    """
    challenger, champion = candidates.challenger, candidates.champion
    assert challenger is not None
    both = [candidate for candidate in (challenger, champion) if candidate is not None]
    test_images = set(test_data.table["sha256"]) - {""}
    known = not isinstance(training_images, str)
    return Evidence(
        challenger=_measured(challenger, *shown[challenger.version]),
        champion=None if champion is None else _measured(champion, *shown[champion.version]),
        comparison=_compared(policy, challenger, champion, shown),
        test_images=len(test_images),
        trained_on=len(test_images.intersection(training_images)) if known else None,
        training_unknown="" if known else str(training_images),
        other_tests=tuple(each.version for each in both if each.test_fingerprint != test_data.fingerprint),
        rows=validation.rows_checked,
        bad_rows=validation.rows_quarantined,
        withdrawn=candidates.withdrawn,
    )


def standing(candidates: Candidates) -> Evidence:
    """Return who stands where, and nothing else: enough where there is nothing to decide."""
    return Evidence(
        challenger=Measured(candidates.challenger.version) if candidates.challenger else None,
        champion=Measured(candidates.champion.version) if candidates.champion else None,
    )


def _measured(candidate: Candidate, served: ServingCheck, evaluated: Evaluated) -> Measured:
    evaluation = evaluated.evaluation
    if served.failure or evaluation is None:
        return Measured(candidate.version, served.failure or "it was not evaluated")
    validity = evaluation.analysis.validity if evaluation.analysis else None
    return Measured(
        version=candidate.version,
        scores=evaluation.metrics,
        per_class=evaluation.per_class,
        valid_answers=None if validity is None else 1 - validity.invalid / validity.answers,
        seconds_per_image=served.seconds_per_image,
        memory_gib=served.memory_gib,
    )


def _compared(
    policy: PromotionConfig,
    challenger: Candidate,
    champion: Candidate | None,
    shown: Mapping[str, tuple[ServingCheck, Evaluated]],
) -> Comparisons:
    """Compare the two on the same resamples; each end of an interval is a bound of the policy's confidence."""
    if champion is None:
        return Comparisons()
    before, after = shown[champion.version][1], shown[challenger.version][1]
    if before.evaluation is None or after.evaluation is None:
        return Comparisons()
    return paired_comparison(before.resamples, after.resamples, level=2 * policy.confidence - 1)
