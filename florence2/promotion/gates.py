"""All gates of a promotion, in the order in which they are shown."""

from __future__ import annotations

from florence2.config import PromotionConfig
from florence2.promotion.champion_gates import champion_gates
from florence2.promotion.evidence import Evidence
from florence2.promotion.floor_gates import floor_gates
from florence2.promotion.gate import Gate
from florence2.promotion.model_gates import data_gates, score_gates, serving_gates

__all__ = ["evaluate_gates"]


def evaluate_gates(policy: PromotionConfig, evidence: Evidence) -> tuple[Gate, ...]:
    """Evaluate every gate that the policy and the situation require.

    Without a champion there is nothing to replace: the first model has to pass the other gates alone.

    Args:
        policy: what is required.
        evidence: with a challenger.

    Raises:
        ConfigurationError: the policy requires a score that the test split does not define.
    """
    assert evidence.challenger is not None
    return (
        *serving_gates(policy, evidence.challenger),
        *data_gates(policy, evidence),
        *score_gates(policy, evidence.challenger),
        *(floor_gates(policy, evidence) if policy.floor else ()),
        *(champion_gates(policy, evidence, evidence.champion) if evidence.champion is not None else ()),
    )
