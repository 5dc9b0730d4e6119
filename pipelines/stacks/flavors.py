"""The flavour of a component: how it checks the settings, and how this project's are registered in the ZenML store."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from florence2.errors import ConfigurationError, StackError
from pipelines.stacks.secrets import is_reference

if TYPE_CHECKING:
    from zenml.client import Client
    from zenml.enums import StackComponentType
    from zenml.stack import StackComponentConfig

    from pipelines.stacks.stack_file import ComponentFile

__all__ = ["Settings", "checked_settings", "register_own"]

_OWN = {
    ("orchestrator", "kubeflow_gpu"): "pipelines.orchestrators.kubeflow_gpu_flavor.KubeflowGpuOrchestratorFlavor",
    ("orchestrator", "kubernetes_gpu"): "pipelines.orchestrators.kubernetes_gpu_flavor.KubernetesGpuOrchestratorFlavor",
}


@dataclass(frozen=True)
class Settings:
    """The settings of a component as its flavour reads and stores them.

    Attributes:
        values: by their names; a secret is a reference.
        is_local: the component is on this machine alone.
        is_remote: it runs steps on another machine, or is there.
    """

    values: Mapping[str, Any]
    is_local: bool
    is_remote: bool


def checked_settings(client: Client, kind: StackComponentType, component: ComponentFile) -> Settings:
    """Return the settings of a component, checked by its flavour.

    Args:
        client: of the store that knows the flavours.
        kind: of the component.
        component: as its file has it.

    Raises:
        ConfigurationError: there is no such flavour, or it does not accept these settings; a line for each.
        ImportError: the flavour needs a package that is not installed.
    """
    from zenml.exceptions import ZenMLBaseException

    config_class = _config_class(client, kind, component)
    problems = [*_unknown_keys(config_class, component), *_clear_secrets(config_class, component.configuration)]
    if problems:
        raise ConfigurationError("\n".join(problems))
    # ZenML resolves references while it checks, and they may not exist yet. A copy, since its checks change it.
    references = {key: value for key, value in component.configuration.items() if is_reference(value)}
    stand_ins = dict.fromkeys(references, "a secret")
    try:
        configuration: StackComponentConfig = config_class(**copy.deepcopy(component.configuration) | stand_ins)
    except ValidationError as exc:
        lines = [
            f"{'.'.join(map(str, ('configuration', *problem['loc'])))}: {problem['msg']}" for problem in exc.errors()
        ]
        raise ConfigurationError("\n".join(lines)) from exc
    except (ValueError, ZenMLBaseException) as exc:
        raise ConfigurationError(f"configuration: {' '.join(str(exc).split())}") from exc
    values = configuration.model_dump(mode="json", exclude_unset=True) | references
    return Settings(values, configuration.is_local, configuration.is_remote)


def register_own(client: Client, kind: str, flavor: str) -> None:
    """Register a flavour in the store, if it is one of this project and not registered yet."""
    from zenml.enums import StackComponentType

    source = _OWN.get((kind, flavor))
    if source is None:
        return
    try:
        client.get_flavor_by_name_and_type(flavor, StackComponentType(kind))
    except KeyError:
        try:
            client.create_flavor(source, StackComponentType(kind))
        except ValueError as exc:
            raise StackError(f"the flavour {flavor} cannot be registered: {exc}") from exc


def _config_class(client: Client, kind: StackComponentType, component: ComponentFile) -> Any:
    from zenml.stack import Flavor
    from zenml.utils import source_utils

    try:
        if source := _OWN.get((kind.value, component.flavor)):
            return source_utils.load(source)().config_class
        return Flavor.from_model(client.get_flavor_by_name_and_type(component.flavor, kind)).config_class
    except KeyError as exc:
        known = sorted({flavor.name for flavor in client.list_flavors(type=kind.value, size=200)})
        known += [name for own, name in _OWN if own == kind.value]
        near = difflib.get_close_matches(component.flavor, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(sorted(set(known)))}"
        raise ConfigurationError(f"flavor: unknown flavour {component.flavor!r}; {hint}") from exc


def _unknown_keys(config_class: Any, component: ComponentFile) -> Iterator[str]:
    known = list(config_class.model_fields)
    for key in component.configuration:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"{component.flavor} has: {', '.join(known)}"
            yield f"configuration.{key}: unknown key; {hint}"


def _clear_secrets(config_class: Any, configuration: Mapping[str, Any]) -> Iterator[str]:
    from zenml.utils.secret_utils import is_secret_field

    for key, value in configuration.items():
        field = config_class.model_fields.get(key)
        if field is not None and value and is_secret_field(field) and not is_reference(value):
            yield (
                f"configuration.{key}: is a secret and must not be in a file; `zenml secret create NAME --{key}=...`"
                f' and write {key}: "{{{{NAME.{key}}}}}"'
            )
