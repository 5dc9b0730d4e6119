"""Step: the decision is applied."""

from __future__ import annotations

from zenml import log_metadata, step

from florence2.adapters import Registry, apply_decision
from florence2.promotion import Candidate, Decision
from steps.alerts import alert
from steps.mirror_registry import mirror

__all__ = ["promote_model"]


# Never cached: the alias may have been moved since.
@step(enable_cache=False, experiment_tracker=True)
def promote_model(decision: Decision, challenger: Candidate) -> None:
    """Move the alias champion if the decision says so, store the decision at the challenger's version, and alert.

    Args:
        decision: about the challenger.
        challenger: the version.
    """
    apply_decision(decision, challenger)
    mirror(Registry(challenger.tracking_uri, challenger.name))
    alert(f"{challenger.name}: {decision.verdict}: {decision.why}")
    log_metadata(metadata={"verdict": decision.verdict, "why": decision.why})
