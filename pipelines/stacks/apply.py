"""Make a ZenML stack as its file says: create what is missing, update what differs, change nothing of others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from florence2.adapters import TRACKING_URI_FILE
from florence2.errors import ConfigurationError, StackError
from pipelines.stacks.differences import Change, component_change, configuration_update, stack_change
from pipelines.stacks.flavors import checked_settings, register_own
from pipelines.stacks.missing import Missing, listed, missing_packages, missing_parts
from pipelines.stacks.secrets import absent_secrets
from pipelines.stacks.store import is_on_this_machine

if TYPE_CHECKING:
    from zenml.client import Client
    from zenml.models import ComponentResponse

    from pipelines.stacks.stack_file import StackFile

__all__ = ["Plan", "activate", "apply_plan", "plan_stack"]

_OURS = {"applied_by": "florence2"}
"""Label of what this command created. What has none is used as it is, and never changed."""


@dataclass(frozen=True)
class Plan:
    """What applying a file changes.

    Attributes:
        name: of the stack.
        changes: one for each component, and at last that of the stack.
        configurations: settings of each component by its kind, as its flavour reads them.
        first: packages and secrets that must exist before ZenML accepts the components.
        missing: what else a run on the stack needs and is missing.
    """

    name: str
    changes: tuple[Change, ...]
    configurations: Mapping[str, Mapping[str, Any]]
    first: tuple[Missing, ...]
    missing: tuple[Missing, ...]

    @property
    def changes_nothing(self) -> bool:
        """Whether the stack is already as its file says."""
        return all(change.action == "keep" for change in self.changes)


def plan_stack(client: Client, stack: StackFile) -> Plan:
    """Compare a stack with its file, and check what a run on it needs. Changes nothing.

    Args:
        client: of the ZenML store.
        stack: what the file says.

    Raises:
        ConfigurationError: a flavour is unknown, or does not accept a setting; the message has all of them.
        StackError: a component of the same name exists, differs, and was not made by this command.
    """
    from zenml.enums import StackComponentType

    components, settings, problems = stack.by_kind(), {}, []
    flavors = {kind: component.flavor for kind, component in components.items()}
    packages = missing_packages(list(flavors.values()))
    for kind, component in components.items():
        try:
            settings[kind] = checked_settings(client, StackComponentType(kind), component)
        except ImportError as exc:
            needed = packages or [Missing(f"the package {exc.name}", f"pip install {exc.name}")]
            raise StackError(f"the stack {stack.name} is not applied; missing:{listed(needed)}") from exc
        except ConfigurationError as exc:
            problems += [f"components.{kind}.{line}" for line in str(exc).splitlines()]
    if problems:
        raise ConfigurationError(f"invalid stack {stack.name}:\n  " + "\n  ".join(problems))
    changes, foreign = [], []
    for kind, component in components.items():
        found = _component(client, kind, component.name)
        there = None if found is None else found.configuration
        change = component_change(kind, component.name, component.flavor, settings[kind].values, there)
        changes.append(change)
        foreign += _not_ours(change, found)
    changes.append(_stack_change(client, stack, foreign))
    if foreign:
        raise StackError(f"the stack {stack.name} is not applied:\n  " + "\n  ".join(foreign))
    unreachable = client.zen_store.url if is_on_this_machine(client) else None
    missing = missing_parts(settings, flavors, unreachable=unreachable)
    configurations = {kind: checked.values for kind, checked in settings.items()}
    first = (*packages, *absent_secrets(client, stack))
    return Plan(stack.name, tuple(changes), configurations, first, tuple(missing))


def apply_plan(client: Client, plan: Plan) -> None:
    """Create and update what a plan says; a second time it changes nothing."""
    from zenml.enums import StackComponentType

    *components, stack = plan.changes
    ids: dict[StackComponentType, str | UUID] = {}
    for change in components:
        kind = StackComponentType(change.kind)
        register_own(client, change.kind, change.flavor)
        wanted = dict(plan.configurations[change.kind])
        found = _component(client, change.kind, change.name)
        if found is None:
            found = client.create_stack_component(change.name, change.flavor, kind, wanted, labels=_OURS)
        elif change.action == "update":
            update = configuration_update(wanted, found.configuration)
            found = client.update_stack_component(found.id, kind, configuration=update)
        ids[kind] = found.id
    if stack.action == "create":
        client.create_stack(stack.name, ids, labels=_OURS)
    elif stack.action == "update":
        there = client.get_stack(stack.name, allow_name_prefix_match=False).components
        gone: dict[StackComponentType, list[UUID]] = {
            kind: [] for kind, parts in there.items() if kind not in ids and _all_ours(parts)
        }
        client.update_stack(stack.name, component_updates={**ids, **gone})


def activate(client: Client, name: str, root: Path) -> None:
    """Make a stack the active one of a folder, and store the address of its MLflow.

    Args:
        client: of the ZenML store.
        name: of the stack.
        root: the folder from which pipelines are started.
    """
    if not (root / ".zen").is_dir():
        client.initialize(root)
    client.activate_root(root)
    client.activate_stack(client.get_stack(name, allow_name_prefix_match=False).id)
    tracker = client.active_stack.experiment_tracker
    note = root / TRACKING_URI_FILE  # for commands that do not import ZenML
    if tracker is not None and hasattr(tracker, "get_tracking_uri"):
        note.write_text(f"{tracker.get_tracking_uri()}\n", encoding="utf-8")
    else:
        note.unlink(missing_ok=True)  # that of the stack before


def _component(client: Client, kind: str, name: str) -> ComponentResponse | None:
    from zenml.enums import StackComponentType

    try:
        return client.get_stack_component(StackComponentType(kind), name, allow_name_prefix_match=False)
    except KeyError:
        return None


def _stack_change(client: Client, stack: StackFile, foreign: list[str]) -> Change:
    """Compare the stack itself with its file; add a line to ``foreign`` if it differs and was not made here.

    A component that was added by hand, of a kind that the file does not name, is not a difference.
    """
    wanted = {kind: component.name for kind, component in stack.by_kind().items()}
    try:
        found = client.get_stack(stack.name, allow_name_prefix_match=False)
    except KeyError:
        return stack_change(stack.name, wanted, None)
    names = {
        kind.value: {part.name for part in parts}
        for kind, parts in found.components.items()
        if kind.value in wanted or _all_ours(parts)
    }
    change = stack_change(stack.name, wanted, names)
    foreign += _not_ours(change, found)
    return change


def _all_ours(made: Iterable[Any]) -> bool:
    """Return whether components or stacks were made by this command."""
    return all(_OURS.items() <= (one.labels or {}).items() for one in made)


def _not_ours(change: Change, found: Any) -> list[str]:
    """Return why something that exists cannot be changed as the file says; empty if it can."""
    if found is None:
        return []
    what = f"{change.kind.replace('_', ' ')} {change.name!r}"
    if change.flavor and found.flavor_name != change.flavor:
        return [
            f"{what} exists with the flavour {found.flavor_name}, the file says {change.flavor}; a flavour cannot be"
            f" changed: write another `name:` under components.{change.kind}"
        ]
    if change.action == "update" and not _all_ours([found]):
        return [
            f"{what} exists, was not made by this command and differs in: {', '.join(change.keys)}; write another"
            " `name:` in the file, or change it by hand"
        ]
    return []
