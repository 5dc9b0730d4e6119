"""What must change so that a component or a stack is as its file says. Compares plain data; does not import ZenML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Change", "component_change", "configuration_update", "stack_change"]


@dataclass(frozen=True)
class Change:
    """What happens to one component, or to the stack.

    Attributes:
        kind: ``orchestrator``, ``artifact_store`` ..., or ``stack``.
        name: of the component or stack.
        flavor: of the component; empty for the stack.
        action: create it, update it, or keep it as it is.
        keys: the settings that change, or the kinds of components of the stack that do. Never their values: a
            setting that was made by hand may hold a password.
    """

    kind: str
    name: str
    flavor: str
    action: Literal["create", "update", "keep"]
    keys: tuple[str, ...] = ()


def configuration_update(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that differ with their wanted values; None for one that must be removed."""
    changed = {key: value for key, value in wanted.items() if key not in found or found[key] != value}
    return changed | {key: None for key in found if key not in wanted}


def component_change(
    kind: str, name: str, flavor: str, wanted: Mapping[str, Any], found: Mapping[str, Any] | None
) -> Change:
    """Compare a component with its file.

    Args:
        kind: of the component.
        name: of the component.
        flavor: of the component.
        wanted: settings by the file.
        found: settings that it has; None if there is no such component.
    """
    if found is None:
        return Change(kind, name, flavor, "create")
    keys = tuple(sorted(configuration_update(wanted, found)))
    return Change(kind, name, flavor, "update" if keys else "keep", keys)


def stack_change(name: str, wanted: Mapping[str, str], found: Mapping[str, set[str]] | None) -> Change:
    """Compare a stack with its file.

    Args:
        name: of the stack.
        wanted: name of the component of each kind.
        found: names of the components of each kind that it has; None if there is no such stack.
    """
    if found is None:
        return Change("stack", name, "", "create")
    keys = tuple(sorted(kind for kind in {*wanted, *found} if found.get(kind, set()) != {wanted.get(kind)}))
    return Change("stack", name, "", "update" if keys else "keep", keys)
