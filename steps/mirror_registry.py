"""ZenML's stages follow MLflow's aliases: champion is production, challenger staging, a former champion archived.

MLflow decides. After a run that was killed between the two stores, or a rollback on the command line, ZenML's stages
are out of date; the next run that mirrors updates them.
"""

from __future__ import annotations

import logging
from uuid import UUID

from zenml.client import Client
from zenml.enums import ModelStages

from florence2.adapters import CHALLENGER, CHAMPION, PREVIOUS, Registry

__all__ = ["ZENML_VERSION", "link", "mirror"]

logger = logging.getLogger(__name__)

ZENML_VERSION = "zenml_model_version_id"
"""Tag of an MLflow version that names the ZenML model version that was made with it."""

# The last one wins where one version has several aliases.
_STAGES = ((PREVIOUS, ModelStages.ARCHIVED), (CHALLENGER, ModelStages.STAGING), (CHAMPION, ModelStages.PRODUCTION))


def link(registry: Registry, version: str, zenml_version: UUID) -> None:
    """Store at an MLflow version which ZenML model version belongs to it."""
    registry.annotate(version, {ZENML_VERSION: str(zenml_version)})


def mirror(registry: Registry) -> tuple[str, ...]:
    """Update the history, the aliases and ZenML's stages by MLflow's aliases.

    Args:
        registry: the model.

    Returns:
        The changes in ZenML, a line each; empty if the two agree.

    Raises:
        RegistryError: the store cannot be reached.
    """
    if not registry.versions():
        return ()
    registry.settle()
    aliases = registry.aliases()
    wanted: dict[str, ModelStages] = {}
    for alias, stage in _STAGES:
        zenml_version = registry.tags_of(aliases[alias]).get(ZENML_VERSION) if alias in aliases else None
        if zenml_version is not None:
            wanted[zenml_version] = stage
    client = Client()
    changed = []
    for stage in (ModelStages.PRODUCTION, ModelStages.STAGING):
        for holder in client.list_model_versions(model=registry.name, stage=stage.value).items:
            if wanted.get(str(holder.id)) != stage:
                holder.set_stage(ModelStages.ARCHIVED, force=True)
                changed.append(f"ZenML version {holder.name}: {stage.value} to archived")
    for zenml_version, stage in wanted.items():
        try:
            found = client.get_model_version(registry.name, UUID(zenml_version))
        except KeyError:
            logger.warning("%s: ZenML has no version %s any more; its stage is not set", registry.name, zenml_version)
            continue
        if found.stage != stage.value:
            found.set_stage(stage, force=True)
            changed.append(f"ZenML version {found.name}: {found.stage or 'no stage'} to {stage.value}")
    for line in changed:
        logger.info(line)
    return tuple(changed)
