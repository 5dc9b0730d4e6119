from __future__ import annotations

import pytest

from florence2.adapters.mlflow.history import Move, earlier_champions, moves_of


def move(number: int, action: str, before: str | None, after: str | None) -> Move:
    return Move.model_validate(
        {
            "number": number,
            "action": action,
            "before": before,
            "after": after,
            "by": "ann@host",
            "at": "2026-01-01T00:00:00+00:00",
            "why": "better",
        }
    )


def promotions(*versions: str) -> list[Move]:
    before: str | None = None
    moves = []
    for number, version in enumerate(versions, 1):
        moves.append(move(number, "promote", before, version))
        before = version
    return moves


def test_moves_come_back_from_tags_in_their_order() -> None:
    moves = promotions("1", "2", "3")
    tags = dict(each.tag for each in reversed(moves)) | {"something": "else"}
    assert moves_of(tags) == tuple(moves)


@pytest.mark.parametrize(
    ("more", "earlier"),
    [
        ([], ("1", "2")),
        ([move(4, "rollback", "3", "2")], ("1",)),
        ([move(4, "rollback", "3", "2"), move(5, "rollback", "2", "1")], ()),
        ([move(4, "rollback", "3", "2"), move(5, "promote", "2", "3")], ("1", "2")),
        ([move(4, "promote", "3", "1")], ("2", "3")),
        ([move(4, "found", "3", None)], ("1", "2")),
        ([move(4, "found", "3", "9")], ("1", "2", "3")),
    ],
)
def test_a_version_that_was_rolled_back_is_no_earlier_champion(more: list[Move], earlier: tuple[str, ...]) -> None:
    assert earlier_champions([*promotions("1", "2", "3"), *more]) == earlier


def test_a_move_says_who_and_when() -> None:
    made = Move.now(1, "promote", None, "1", "first")
    assert "@" in made.by
    assert made.at.endswith("+00:00")


def test_nothing_is_earlier_than_the_first() -> None:
    assert earlier_champions([]) == ()
    assert earlier_champions(promotions("1")) == ()
