"""Steps: measurements become a decision; without an undecided challenger there is nothing to decide."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from florence2.adapters import training_images_of
from florence2.config import PromotionConfig
from florence2.datasets import DatasetManifest, ValidationReport
from florence2.evaluation import Evaluated
from florence2.promotion import Candidates, Decision, ServingCheck, decide, gather_evidence, name_versions
from materializers.decision import DecisionMaterializer
from steps.code_dependencies import follow_code

__all__ = ["decide_promotion", "nothing_to_decide"]


# Never cached: it reads from the registry on which images the challenger was trained.
@step(enable_cache=False, output_materializers=DecisionMaterializer, experiment_tracker=True)
def decide_promotion(
    candidates: Candidates,
    promotion: PromotionConfig,
    test_data: DatasetManifest,
    validation_report: ValidationReport,
    challenger_served: ServingCheck,
    challenger_evaluated: Evaluated,
    champion_served: ServingCheck | None = None,
    champion_evaluated: Evaluated | None = None,
    base_evaluated: Evaluated | None = None,
    base_unknown: str = "it was not evaluated",
    baseline_evaluated: Evaluated | None = None,
) -> Annotated[Decision, "decision"]:
    """Gather the evidence and decide.

    Args:
        candidates: who is challenger and who is champion.
        promotion: the policy.
        test_data: the split test.
        validation_report: the result of the data checks.
        challenger_served: how the challenger serves.
        challenger_evaluated: its scores.
        champion_served: how the champion serves; None where there is none.
        champion_evaluated: its scores.
        base_evaluated: the scores of the challenger's base; None where it was not evaluated.
        base_unknown: why it was not.
        baseline_evaluated: the scores of answers without the image; None where the policy does not require them.
    """
    assert candidates.challenger is not None
    measured = {candidates.challenger.version: (challenger_served, challenger_evaluated)}
    if candidates.champion and champion_served and champion_evaluated:
        measured[candidates.champion.version] = (champion_served, champion_evaluated)
    seen = training_images_of(candidates.challenger)
    evidence = gather_evidence(
        promotion,
        candidates,
        measured,
        test_data,
        validation_report,
        seen,
        base=base_evaluated or base_unknown,
        baseline=baseline_evaluated or "they were not evaluated",
    )
    return decide(promotion, evidence)


@step(cache_policy=follow_code(__file__), output_materializers=DecisionMaterializer)
def nothing_to_decide(candidates: Candidates, promotion: PromotionConfig) -> Annotated[Decision, "decision"]:
    """Return a decision that says why there is nothing to decide.

    Args:
        candidates: who is challenger and who is champion.
        promotion: the policy.
    """
    return decide(promotion, name_versions(candidates))
