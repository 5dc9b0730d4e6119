"""Which settings differ between two stored configurations, also those of another version of this library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["changed_settings"]

_ABSENT = "\N{EN DASH}"
"""What stands for a setting that one of two configurations does not have: its version of the library had none."""


def changed_settings(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return the settings with another value, by their full name, in the order of the second configuration.

    Args:
        before: sections with their settings, as read from JSON.
        after: the same of the other one.

    Returns:
        The old and the new value as they are written in a file; a dash where there is none.
    """
    old, new = _texts(before, ""), _texts(after, "")
    pairs = {name: (old.get(name, _ABSENT), new.get(name, _ABSENT)) for name in new | old}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _texts(section: Mapping[str, Any], prefix: str) -> dict[str, str]:
    """Return the text of each value below a section, by its full name."""
    found: dict[str, str] = {}
    for key, value in section.items():
        found |= _texts(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {prefix + key: _text(value)}
    return found


def _text(value: Any) -> str:
    """Return a value as it is written in a file; what is not set is called empty, as in the reference."""
    if value is None or value in ("", []):
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(_text, value)) if isinstance(value, list) else str(value)
