"""Settings in a YAML file: all keys and values are checked before anything runs.

``zenml pipeline run ... -c FILE`` needs the sections under ``parameters``; the command ``florence2`` accepts them at
the top of the file as well. In a file a setting is always in its section, so that two files can be compared.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from florence2.config.configuration import BaseConfiguration, leaf_paths, shortened
from florence2.config.strict_yaml import load_yaml
from florence2.config.synonyms import SYNONYMS, rename_earlier_sections
from florence2.errors import ConfigurationError

__all__ = ["PARAMETERS", "check_keys", "check_sections", "parameters_of", "read_mapping", "read_sections"]

logger = logging.getLogger(__name__)

PARAMETERS = "parameters"
"""The key of ZenML's configuration files that holds the sections."""


def read_mapping(file: Path) -> dict[str, Any]:
    """Read a YAML file that holds a mapping; an empty file gives an empty mapping.

    Raises:
        ConfigurationError: it cannot be read, or is not a mapping.
    """
    try:
        content = load_yaml(file.read_text(encoding="utf-8")) or {}
    except OSError as exc:
        raise ConfigurationError(f"{file}: cannot be read: {exc.strerror}; give a YAML file of settings") from exc
    except (ValueError, yaml.YAMLError) as exc:
        raise ConfigurationError(f"{file}: not a YAML file: {exc}") from exc
    if not isinstance(content, dict):
        raise ConfigurationError(f"{file}: must be a mapping with the sections of the configuration under 'parameters'")
    return content


def check_keys(file: Path, content: Mapping[str, Any], known: Collection[str]) -> None:
    """Raise for the first unknown key, and name the nearest known one.

    Raises:
        ConfigurationError: there is one.
    """
    for key in content:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
            raise ConfigurationError(f"{file}: {key}: unknown key; {hint}")


def parameters_of(file: Path, content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sections under ``parameters``, by their present names.

    Raises:
        ConfigurationError: it is not a mapping of names, or holds a section under its earlier and its present name.
    """
    return _named(file, content.get(PARAMETERS) or {}, f"{PARAMETERS}: ")


def check_sections(file: Path, sections: Mapping[str, Any], tree: type[BaseConfiguration], under: str = "") -> None:
    """Check all settings of a file together.

    Args:
        file: the file.
        sections: the sections in it.
        tree: the configuration that they belong to.
        under: the path above them in the file, such as ``parameters.``.

    Raises:
        ConfigurationError: a key is unknown, a value is invalid, or a setting is outside its section.
    """
    try:
        tree(**sections)
    except ConfigurationError as exc:
        raise ConfigurationError(f"{file}: {exc}") from exc
    # In Python a setting may be given without its section; a file has one form only.
    paths = dict(leaf_paths(tree))
    for key, value in sections.items():
        own = SYNONYMS.get(key, key)
        if own in paths:
            raise ConfigurationError(f"{file}: {under}{key}: write it as {under}{'.'.join(paths[own])}")
        if not isinstance(value, dict):
            first = next(leaf for leaf, path in paths.items() if path[0] == key)
            shown = value if isinstance(value, str) else shortened(value)
            raise ConfigurationError(f"{file}: {under}{key}: write it as {under}{key}.{first}: {shown}")


def read_sections(file: Path, *trees: type[BaseConfiguration]) -> dict[str, Any]:
    """Read and check the sections in a file, which are under ``parameters`` or at its top.

    Args:
        file: the file; what only ZenML reads is ignored, with a message.
        trees: the configurations that they may belong to; the first one that has all of them is used.

    Returns:
        The sections as the file gives them.

    Raises:
        ConfigurationError: the file cannot be read, a key is unknown, or a value is invalid.
    """
    content = read_mapping(file)
    if PARAMETERS in content:
        sections, under = parameters_of(file, content), f"{PARAMETERS}."
        if others := sorted(str(key) for key in content if key != PARAMETERS):
            logger.info("%s: only %s is read here; not: %s", file, PARAMETERS, ", ".join(others))
    else:
        sections, under = _named(file, content, ""), ""
        for key in content:
            if difflib.get_close_matches(key, [PARAMETERS], cutoff=0.8):
                raise ConfigurationError(f"{file}: {key}: unknown key; did you mean {PARAMETERS!r}?")
    tree = next((tree for tree in trees if sections.keys() <= tree.model_fields.keys()), trees[0])
    check_sections(file, sections, tree, under)
    return sections


def _named(file: Path, value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise ConfigurationError(f"{file}: {where}must be a mapping of sections, not {shortened(value)}")
    try:
        return rename_earlier_sections(value)
    except ConfigurationError as exc:
        raise ConfigurationError(f"{file}: {where}{exc}") from exc
