"""A stack as a file: which components it has and how each is set. Read and checked here, without ZenML.

``${NAME}`` in a configuration is the environment variable NAME, for what is different for each user; ``{{secret.key}}``
is a secret that ZenML keeps, so that no file holds it.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError

from florence2.config import BaseConfig, load_yaml
from florence2.errors import ConfigurationError

__all__ = ["ComponentFile", "ComponentsFile", "StackFile", "read_stack"]

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class ComponentFile(BaseConfig):
    """One component.

    Attributes:
        flavor: of ZenML or of this project.
        name: the stack's name if empty.
        configuration: its settings, as the flavour has them.
    """

    flavor: str = Field(min_length=1)
    name: str = ""
    configuration: dict[str, Any] = Field(default_factory=dict)


class ComponentsFile(BaseConfig):
    """The components, by ZenML's names of their kinds."""

    orchestrator: ComponentFile
    artifact_store: ComponentFile
    container_registry: ComponentFile | None = None
    image_builder: ComponentFile | None = None
    experiment_tracker: ComponentFile | None = None
    model_registry: ComponentFile | None = None
    step_operator: ComponentFile | None = None
    alerter: ComponentFile | None = None


class StackFile(BaseConfig):
    """A stack.

    Attributes:
        name: of the stack, and of each component that has none of its own.
        components: what it is made of.
    """

    name: str = Field(min_length=1)
    components: ComponentsFile

    def by_kind(self) -> dict[str, ComponentFile]:
        """Return the components that are set, each with its name."""
        found = {kind: getattr(self.components, kind) for kind in ComponentsFile.model_fields}
        return {
            kind: component.model_copy(update={"name": component.name or self.name})
            for kind, component in found.items()
            if component is not None
        }


def read_stack(file: Path, environment: Mapping[str, str] = os.environ) -> StackFile:
    """Read a stack from a YAML file.

    Args:
        file: to read.
        environment: the variables that ``${NAME}`` refers to.

    Raises:
        ConfigurationError: the file cannot be read, or keys are unknown, values invalid, variables not set; the
            message has all of them, each with its line.
    """
    try:
        text = file.read_text(encoding="utf-8")
        content, tree = load_yaml(text), yaml.compose(text, Loader=yaml.SafeLoader)
    except OSError as exc:
        raise ConfigurationError(
            f"{file}: cannot be read ({exc.strerror}); give a stack file such as those in configs/stacks"
        ) from exc
    except (ValueError, yaml.YAMLError) as exc:
        raise ConfigurationError(f"{file}: not a YAML file: {exc}") from exc
    if not isinstance(content, dict):
        raise ConfigurationError(f"{file}: must be a mapping with the keys 'name' and 'components'")
    unset: list[tuple[tuple[str | int, ...], str]] = []
    content = _filled_in(content, environment, (), unset)
    problems = [
        (path, f"the environment variable {name} is not set; `export {name}=...` it first") for path, name in unset
    ]
    try:
        stack = StackFile.model_validate(content)
    except ValidationError as exc:
        problems += [(problem["loc"], _explain(problem["loc"], dict(problem))) for problem in exc.errors()]
    if problems:
        lines = [f"{file}:{_line_of(tree, path)}: {'.'.join(map(str, path))}: {text}" for path, text in problems]
        raise ConfigurationError("invalid stack:\n  " + "\n  ".join(lines))
    return stack


def _filled_in(
    value: Any,
    environment: Mapping[str, str],
    path: tuple[str | int, ...],
    unset: list[tuple[tuple[str | int, ...], str]],
) -> Any:
    """Return a value with its environment variables filled in, and collect those that are not set."""
    if isinstance(value, dict):
        return {key: _filled_in(inner, environment, (*path, key), unset) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled_in(inner, environment, (*path, index), unset) for index, inner in enumerate(value)]
    if not isinstance(value, str):
        return value
    unset += [(path, name) for name in dict.fromkeys(_VARIABLE.findall(value)) if not environment.get(name)]
    return _VARIABLE.sub(lambda match: environment.get(match[1]) or match[0], value)


def _explain(path: tuple[str | int, ...], problem: Mapping[str, Any]) -> str:
    if problem["type"] == "missing":
        return "is missing"
    if problem["type"] != "extra_forbidden":
        return f"{problem['msg']}, not {problem['input']!r}"
    levels: tuple[type[BaseConfig], ...] = (StackFile, ComponentsFile, ComponentFile)
    known = list(levels[len(path) - 1].model_fields)
    near = difflib.get_close_matches(str(path[-1]), known, n=1)
    return f"unknown key; did you mean {near[0]!r}?" if near else f"unknown key; known here: {', '.join(known)}"


def _line_of(node: yaml.Node | None, path: tuple[str | int, ...]) -> int:
    """Return the line of the deepest key of a path that the file has."""
    line = 1 if node is None else node.start_mark.line + 1
    for part in path:
        for key, value in _children(node):
            if key.value == str(part):
                line, node = key.start_mark.line + 1, value
                break
        else:
            return line
    return line


def _children(node: yaml.Node | None) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        yield from node.value
