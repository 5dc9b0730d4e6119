"""``merged``: settings over other settings, entry by entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["merged"]


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return sections in which every setting of the second mapping overrides that of the first.

    Args:
        below: sections with their settings; not changed.
        above: the same; not changed.
    """
    both = dict(below)
    for name, value in above.items():
        inner = both.get(name)
        both[name] = merged(inner, value) if isinstance(inner, Mapping) and isinstance(value, Mapping) else value
    return both
