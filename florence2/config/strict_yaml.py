"""YAML without surprises: a key that occurs twice is an error, and so are aliases that multiply the content."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

import yaml

__all__ = ["load_yaml"]

_MOST_VALUES = 100_000
_MERGE = "tag:yaml.org,2002:merge"


class _StrictLoader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Return a mapping whose keys differ; a key that ``<<`` merges may be overridden, as YAML defines it."""
        lines: dict[tuple[str, str], int] = {}
        own = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE]
        for key in own:
            line = key.start_mark.line + 1
            if first := lines.get((key.tag, key.value)):
                raise yaml.YAMLError(f"the key {key.value!r} occurs twice, in lines {first} and {line}; keep one")
            lines[key.tag, key.value] = line
        return super().construct_mapping(node, deep)


def load_yaml(text: str) -> Any:
    """Read a YAML text with plain values only.

    Raises:
        yaml.YAMLError: it is not YAML, a key occurs twice in a mapping, it is nested too deeply, or its aliases
            multiply the content.
        ValueError: a number or a date in it is invalid.
    """
    loader = _StrictLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _size(node, {}) > _MOST_VALUES:
            raise yaml.YAMLError(f"it has more than {_MOST_VALUES:,} values; write it without aliases, or smaller")
        return loader.construct_document(node)
    except RecursionError as exc:
        raise yaml.YAMLError("nested too deeply") from exc
    finally:
        loader.dispose()


def _size(node: yaml.Node, known: dict[int, int | None]) -> int:
    """Return the number of values with each alias written out."""
    if id(node) not in known:
        known[id(node)] = None
        known[id(node)] = 1 + sum(_size(inner, known) for inner in _inner(node))
    size = known[id(node)]
    if size is None:
        raise yaml.YAMLError(f"line {node.start_mark.line + 1}: this value contains itself; write it without an alias")
    return size


def _inner(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for pair in node.value:
            yield from pair
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value
