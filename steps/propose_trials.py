"""Step: the next trials of a search."""

from __future__ import annotations

from typing import Annotated, Any

from zenml import step

from florence2.tuning import EndedTrial, SearchPlan, propose
from steps.code_dependencies import follow_code

__all__ = ["propose_trials"]


@step(cache_policy=follow_code(__file__))
def propose_trials(plan: SearchPlan, ended: list[EndedTrial], count: int) -> Annotated[list[dict[str, Any]], "trials"]:
    """Return the next trials, as JSON, of which ZenML hashes the content; none where the search has ended.

    Args:
        plan: of the search.
        ended: all trials so far.
        count: most trials.
    """
    return [trial.model_dump(mode="json") for trial in propose(plan, ended, count)]
