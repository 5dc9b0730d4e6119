"""The candidates of a promotion, read from the registry, and the decision, written back to it."""

from __future__ import annotations

from florence2.adapters.mlflow.registry import CHAMPION, Registry
from florence2.adapters.mlflow.versions import RegisteredModel
from florence2.config import ModelConfig, RegistrationConfig
from florence2.errors import RegistryError
from florence2.promotion import Candidate, Candidates, Decision

__all__ = ["apply_decision", "find_candidates", "training_images_of"]


def find_candidates(tracking_uri: str | None, config: RegistrationConfig) -> Candidates:
    """Return the challenger and the champion.

    Args:
        tracking_uri: of the store; None: MLflow's own setting.
        config: name of the registered model, and the alias that new versions take.

    Raises:
        RegistryError: the store cannot be reached.
    """
    registry = Registry(tracking_uri, config.model_name)
    challenger, champion = registry.version_of(config.alias), registry.version_of(CHAMPION)
    return Candidates(
        challenger=challenger and _candidate(registry, challenger),
        champion=champion and _candidate(registry, champion),
        rollback_reason=_rollback_reason(registry, challenger.version) if challenger else "",
    )


def training_images_of(candidate: Candidate) -> frozenset[str] | str:
    """Return the sha256 of each image file that a version was trained or validated on, or why they are not known."""
    try:
        return Registry(candidate.tracking_uri, candidate.name).training_images(candidate.version)
    except RegistryError as exc:
        return str(exc)


def apply_decision(decision: Decision, challenger: Candidate) -> None:
    """Make a promoted challenger champion; write any decision into the tags of its version.

    Args:
        decision: about the challenger.
        challenger: the version.

    Raises:
        RegistryError: the champion is another version by now; nothing was moved.
    """
    registry = Registry(challenger.tracking_uri, challenger.name)
    if decision.verdict == "promote":
        registry.move_champion(
            challenger.version, expected_champion=decision.champion, reason=decision.why, decision=decision.tags()
        )
    else:
        registry.annotate(challenger.version, decision.tags())


def _candidate(registry: Registry, model: RegisteredModel) -> Candidate:
    tags = registry.tags_of(model.version)
    base = tags.get("base")
    return Candidate(
        name=model.name,
        version=model.version,
        uri=model.uri,
        tracking_uri=model.tracking_uri,
        content=tags.get("checkpoint_fingerprint", ""),
        test_fingerprint=tags.get("test_fingerprint", ""),
        base=ModelConfig(base=base, revision=tags.get("base_revision")) if base else None,
        base_fingerprint=tags.get("base_fingerprint", ""),
    )


def _rollback_reason(registry: Registry, version: str) -> str:
    """Return why, by whom and when a version was rolled back; empty if its last move was not a rollback."""
    moves = [move for move in registry.history() if version in (move.before, move.after)]
    if not moves or moves[-1].action != "rollback" or moves[-1].before != version:
        return ""
    return f"{moves[-1].why} ({moves[-1].by}, {moves[-1].at})"
