"""The decision: the verdict that follows from evidence and policy. It uses no files, no clock and no registry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from florence2.config import PromotionConfig
from florence2.promotion.evidence import Evidence
from florence2.promotion.gate import Gate
from florence2.promotion.gates import evaluate_gates

__all__ = ["Decision", "Verdict", "decide"]

Verdict = Literal["promote", "hold", "reject", "nothing"]

_LONGEST_TAG = 5_000
"""Characters that a tag of MLflow can have."""


class Decision(BaseModel):
    """What a promotion decided.

    Attributes:
        verdict: ``promote``: the challenger becomes champion. ``hold``: it failed no gate of its own, but is not proven
            to be better than its base, than answers without the image or than the champion, or a gate could not be
            evaluated. ``reject``: it failed a gate about itself alone or about how it serves. ``nothing``: there is no
            challenger, or it is champion already.
        why: the reason, in a sentence.
        challenger: its version; None where there is none.
        champion: the version that it was compared with; None where there was none.
        gates: in the order in which they are shown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    verdict: Verdict
    why: str
    challenger: str | None = None
    champion: str | None = None
    gates: tuple[Gate, ...] = ()

    @property
    def exit_status(self) -> int:
        """Return the exit status of a command that decided this: 3 where the challenger was held or rejected."""
        return 0 if self.verdict in ("promote", "nothing") else 3

    def tags(self) -> dict[str, str]:
        """Return the tags by which the registry keeps the decision at the challenger's version."""
        gates = "\n".join(f"{gate.name}: {gate.outcome}: {gate.why}" for gate in self.gates)
        tags = {"decision": self.verdict, "decision_why": self.why, "decision_gates": gates}
        tags["decision_champion"] = self.champion or "none"
        return {name: text[:_LONGEST_TAG] for name, text in tags.items()}


def decide(policy: PromotionConfig, evidence: Evidence) -> Decision:
    """Decide whether a challenger becomes champion.

    Every gate must be passed. A gate that could not be evaluated, because the model did not load or nothing can be
    compared, is not passed.

    Args:
        policy: what is required.
        evidence: what was measured.

    Raises:
        ConfigurationError: the policy requires a score that the test split does not define.
    """
    challenger, champion = evidence.challenger, evidence.champion
    if challenger is None:
        return Decision(
            verdict="nothing",
            why="There is no challenger.",
            champion=champion.version if champion else None,
        )
    versions = {"challenger": challenger.version, "champion": champion.version if champion else None}
    if champion is not None and champion.version == challenger.version:
        return Decision(verdict="nothing", why=f"Version {champion.version} is champion already.", **versions)
    gates = evaluate_gates(policy, evidence)
    verdict = _verdict(gates)
    return Decision(verdict=verdict, why=_why(verdict, gates, evidence), gates=gates, **versions)


def _verdict(gates: Sequence[Gate]) -> Verdict:
    if all(gate.passed for gate in gates):
        return "promote"
    is_failed = any(gate.passed is False and gate.aspect in ("model", "serving") for gate in gates)
    return "reject" if is_failed else "hold"


def _why(verdict: Verdict, gates: Sequence[Gate], evidence: Evidence) -> str:
    """Return the verdict as a sentence that names the versions and the gates that decided."""
    assert evidence.challenger is not None
    name = f"Version {evidence.challenger.version}"
    if verdict == "promote":
        if evidence.champion is None:
            return f"{name} becomes the first champion: it passed every gate."
        return f"{name} becomes champion in place of version {evidence.champion.version}: it passed every gate."
    failed = [gate for gate in gates if gate.passed is False] or [gate for gate in gates if not gate.passed]
    reasons = " ".join(f"{gate.title}: {gate.why}" for gate in failed)
    return f"{name} is {'rejected' if verdict == 'reject' else 'held'}. {reasons}"
