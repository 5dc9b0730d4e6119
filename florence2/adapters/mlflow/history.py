"""The history of champions: every move, and the earlier champions that follow from it."""

from __future__ import annotations

import getpass
import json
import socket
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

__all__ = ["Move", "earlier_champions", "moves_of"]

_TAG = "champion_move."


class Move(BaseModel):
    """A change of the champion.

    Attributes:
        number: of the move, counted from 1.
        action: ``promote``; ``rollback``; ``found`` where the alias did not point to the version of the last
            move.
        before: version that was champion; None if there was none.
        after: version that is champion; None if there is none any more.
        by: user and machine.
        at: time in UTC, ISO 8601.
        why: the reason that was given.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    action: Literal["promote", "rollback", "found"]
    before: str | None
    after: str | None
    by: str
    at: str
    why: str

    @classmethod
    def now(
        cls,
        number: int,
        action: Literal["promote", "rollback", "found"],
        before: str | None,
        after: str | None,
        why: str,
    ) -> Self:
        """Return a move of the present time, by the user of this process."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(number=number, action=action, before=before, after=after, by=_user(), at=at, why=why)

    @property
    def tag(self) -> tuple[str, str]:
        """Return name and value of the tag that holds the move."""
        return f"{_TAG}{self.number:04d}", json.dumps(self.model_dump(exclude={"number"}), ensure_ascii=False)


def moves_of(tags: Mapping[str, str]) -> tuple[Move, ...]:
    """Return the moves in the tags of a registered model, in their order."""
    found = [
        Move(number=int(name.removeprefix(_TAG)), **json.loads(value))
        for name, value in tags.items()
        if name.startswith(_TAG)
    ]
    return tuple(sorted(found, key=lambda move: move.number))


def earlier_champions(moves: Sequence[Move]) -> tuple[str, ...]:
    """Return the earlier champions, the latest of them last.

    A version that was rolled back is not among them: a second rollback goes further back and does not return to it.
    """
    line: list[str] = []
    for move in moves:
        if move.after is None:
            line = [version for version in line if version != move.before]
        elif move.after in line and move.action != "promote":
            del line[line.index(move.after) + 1 :]
        else:
            line = [version for version in line if version != move.after] + [move.after]
    has_champion = bool(moves) and moves[-1].after is not None
    return tuple(line[:-1] if has_champion else line)


def _user() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # in a container the user may have a number but no name
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
