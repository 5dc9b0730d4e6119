"""From what the steps of a promotion measured to the evidence that it is decided on."""

from __future__ import annotations

from collections.abc import Mapping

from florence2.config import PromotionConfig
from florence2.datasets import DatasetManifest, ValidationReport
from florence2.evaluation import Comparisons, Evaluated
from florence2.promotion.candidates import Candidate, Candidates
from florence2.promotion.evidence import Evidence, Floor, MeasuredModel
from florence2.promotion.serving import ServingCheck

__all__ = ["gather_evidence", "name_versions"]


def gather_evidence(
    policy: PromotionConfig,
    candidates: Candidates,
    measured: Mapping[str, tuple[ServingCheck, Evaluated]],
    test_data: DatasetManifest,
    validation: ValidationReport,
    training_images: frozenset[str] | str,
    *,
    base: Evaluated | str,
    baseline: Evaluated | str,
) -> Evidence:
    """Return the evidence on a challenger and, where there is one, on the champion.

    Args:
        policy: for the confidence of the comparison.
        candidates: with a challenger.
        measured: how each version served, and its scores, by its number.
        test_data: the test split on which both were evaluated.
        validation: what the data checks found in the data set.
        training_images: sha256 of each image file that the challenger was trained or validated on; a text where they
            are not known: why.
        base: the model from which the challenger was trained, on the test split; a text where it was not evaluated:
            why.
        baseline: answers without the image on the test split; a text where they were not evaluated: why.
    """
    challenger, champion = candidates.challenger, candidates.champion
    assert challenger is not None
    both = [candidate for candidate in (challenger, champion) if candidate is not None]
    test_images = set(test_data.table["sha256"]) - {""}
    known = not isinstance(training_images, str)
    _, after = measured[challenger.version]
    return Evidence(
        challenger=_measured_model(challenger, *measured[challenger.version]),
        champion=None if champion is None else _measured_model(champion, *measured[champion.version]),
        comparison=Comparisons() if champion is None else _compare(policy, measured[champion.version][1], after),
        base=_floor(policy, base, after),
        baseline=_floor(policy, baseline, after),
        test_images=len(test_images),
        leaked_images=len(test_images.intersection(training_images)) if known else None,
        leak_unknown="" if known else str(training_images),
        versions_of_other_tests=tuple(each.version for each in both if each.test_fingerprint != test_data.fingerprint),
        samples=validation.rows_checked,
        invalid_samples=validation.rows_quarantined,
        rollback_reason=candidates.rollback_reason,
    )


def name_versions(candidates: Candidates) -> Evidence:
    """Return evidence that names the versions and nothing else: enough where there is nothing to decide."""
    return Evidence(
        challenger=MeasuredModel(candidates.challenger.version) if candidates.challenger else None,
        champion=MeasuredModel(candidates.champion.version) if candidates.champion else None,
    )


def _measured_model(candidate: Candidate, served: ServingCheck, evaluated: Evaluated) -> MeasuredModel:
    evaluation = evaluated.evaluation
    if served.failure or evaluation is None:
        return MeasuredModel(candidate.version, served.failure or "it was not evaluated")
    validity = evaluation.analysis.validity if evaluation.analysis else None
    return MeasuredModel(
        version=candidate.version,
        scores=evaluation.metrics,
        per_class=evaluation.per_class,
        valid_answers=None if validity is None else 1 - validity.invalid / validity.answers,
        seconds_per_image=served.seconds_per_image,
        memory_gib=served.memory_gib,
    )


def _floor(policy: PromotionConfig, before: Evaluated | str, after: Evaluated) -> Floor:
    if isinstance(before, str) or before.evaluation is None:
        return Floor(failure=before if isinstance(before, str) else "it was not evaluated")
    return Floor(before.evaluation.metrics, _compare(policy, before, after))


def _compare(policy: PromotionConfig, before: Evaluated, after: Evaluated) -> Comparisons:
    """Compare both on the same resamples; each end of an interval is a bound of the policy's confidence."""
    return before.compare(after, level=2 * policy.confidence - 1)
