"""Step: the decision is carried out."""

from __future__ import annotations

from zenml import log_metadata, step

from florence2.adapters import Registry, apply_decision
from florence2.promotion import Candidate, Decision
from steps.alerts import alert
from steps.mirror_registry import mirror

__all__ = ["promote_model"]


# Never cached: an alias that was moved since must be moved again, or be refused.
@step(enable_cache=False, experiment_tracker=True)
def promote_model(decision: Decision, challenger: Candidate) -> None:
    """Move the alias champion if the decision says so, note the decision at the challenger's version, and tell people.

    Args:
        decision: about the challenger.
        challenger: the version.
    """
    apply_decision(decision, challenger)
    mirror(Registry(challenger.tracking_uri, challenger.name))
    alert(f"{challenger.name}: {decision.verdict}: {decision.why}")
    log_metadata(metadata={"verdict": decision.verdict, "why": decision.why})
