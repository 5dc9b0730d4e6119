"""The flavour of a component: found, its settings checked against it, and ours registered in the ZenML store."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from florence2.errors import ConfigurationError, StackError

if TYPE_CHECKING:
    from zenml.client import Client
    from zenml.enums import StackComponentType
    from zenml.stack import StackComponentConfig

    from pipelines.stacks.stack_file import ComponentFile

__all__ = ["checked_configuration", "register_own", "secret_references"]

_OWN = {
    ("orchestrator", "kubeflow_gpu"): "pipelines.orchestrators.kubeflow_gpu_flavor.KubeflowGpuOrchestratorFlavor",
    ("orchestrator", "kubernetes_gpu"): "pipelines.orchestrators.kubernetes_gpu_flavor.KubernetesGpuOrchestratorFlavor",
}


def checked_configuration(
    client: Client, kind: StackComponentType, component: ComponentFile
) -> tuple[StackComponentConfig, list[str]]:
    """Return the configuration of a component as its flavour reads it.

    Args:
        client: of the store that knows the flavours.
        kind: of the component.
        component: as its file has it.

    Returns:
        The configuration, and what is wrong with settings that hold secrets.

    Raises:
        ConfigurationError: there is no such flavour, or it does not take these settings.
    """
    config_class = _config_class(client, kind, component)
    problems = list(_unknown_keys(config_class, component))
    if problems:
        raise ConfigurationError("\n  ".join(problems))
    try:
        # A copy: validators of ZenML write into what they are given.
        configuration = config_class(**{**component.configuration})
    except ValidationError as exc:
        lines = [f"{'.'.join(map(str, problem['loc'])) or 'configuration'}: {problem['msg']}" for problem in exc.errors()]
        raise ConfigurationError("\n  ".join(lines)) from exc
    except (ValueError, RuntimeError) as exc:
        raise ConfigurationError(str(exc)) from exc
    return configuration, list(_clear_secrets(config_class, component.configuration))


def register_own(client: Client, kind: str, flavor: str) -> None:
    """Make a flavour of this project known to the store, if it is one and the store does not know it yet."""
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


def secret_references(value: Any) -> Iterator[tuple[str, str]]:
    """Yield name and key of each secret that a configuration refers to."""
    from zenml.utils.secret_utils import is_secret_reference, parse_secret_reference

    if isinstance(value, Mapping):
        for inner in value.values():
            yield from secret_references(inner)
    elif is_secret_reference(value):
        reference = parse_secret_reference(value)
        yield reference.name, reference.key


def _config_class(client: Client, kind: StackComponentType, component: ComponentFile) -> Any:
    from zenml.stack import Flavor
    from zenml.utils import source_utils

    try:
        if source := _OWN.get((kind.value, component.flavor)):
            return source_utils.load(source)().config_class
        return Flavor.from_model(client.get_flavor_by_name_and_type(component.flavor, kind)).config_class
    except ImportError as exc:
        raise ConfigurationError(f"flavor: {component.flavor} needs the package {exc.name or exc}") from exc
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
    from zenml.utils.secret_utils import is_secret_field, is_secret_reference

    for key, value in configuration.items():
        if value is not None and is_secret_field(config_class.model_fields[key]) and not is_secret_reference(value):
            yield (
                f"configuration.{key}: is a secret and must not stand in a file; `zenml secret create NAME --{key}=...`"
                f' and write {key}: "{{{{NAME.{key}}}}}"'
            )
