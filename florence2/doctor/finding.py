"""``Finding``: the result of one check of the installation or the machine, with its remedy."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["LEVELS", "Finding", "Level", "worst"]

Level = Literal["ok", "warning", "problem"]

LEVELS: tuple[Level, ...] = ("ok", "warning", "problem")
"""From good to bad."""


@dataclass(frozen=True)
class Finding:
    """One result of a check.

    Attributes:
        level: ok; warning: works, but something will be slow or missing; problem: something will fail.
        message: the fact and, unless it is ok, the remedy.
        fix: a command that applies the remedy, to be typed as it is; None where no command can.
    """

    level: Level
    message: str
    fix: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as values that JSON can hold; ``Finding(**content)`` is the inverse."""
        return asdict(self)


def worst(levels: list[Level]) -> Level:
    """Return the worst of some levels, ok if there is none."""
    return max(levels, key=LEVELS.index, default="ok")
