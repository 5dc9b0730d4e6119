"""Secrets that a stack's file refers to as ``{{name.key}}``: found in the file, and checked in the ZenML store."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pipelines.stacks.missing import Missing

if TYPE_CHECKING:
    from zenml.client import Client

    from pipelines.stacks.stack_file import StackFile

__all__ = ["absent_secrets", "is_reference"]

_REFERENCE = re.compile(r"\{\{\s*([^\s.{}]+)\.([^\s{}]+)\s*\}\}")


def is_reference(value: Any) -> bool:
    """Return whether a setting refers to a secret."""
    return isinstance(value, str) and _REFERENCE.fullmatch(value) is not None


def absent_secrets(client: Client, stack: StackFile) -> list[Missing]:
    """Return the secrets that a stack refers to and that the store does not have, each with its command."""
    wanted: dict[str, set[str]] = {}
    for component in stack.by_kind().values():
        for name, key in _references(component.configuration):
            wanted.setdefault(name, set()).add(key)
    found = []
    for name, keys in wanted.items():
        try:
            there = set(client.get_secret(name, allow_partial_name_match=False, allow_partial_id_match=False).values)
            absent, verb = sorted(keys - there), "update"
        except KeyError:
            absent, verb = sorted(keys), "create"
        if absent:
            values = " ".join(f"--{key}=..." for key in absent)
            found.append(Missing(f"the secret {name} with {', '.join(absent)}", f"zenml secret {verb} {name} {values}"))
    return found


def _references(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _references(inner)
    elif is_reference(value):
        match = _REFERENCE.fullmatch(value)
        assert match is not None
        yield match[1], match[2]
