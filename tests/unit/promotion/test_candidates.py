"""Whether there is something to decide."""

from __future__ import annotations

from florence2.promotion.candidates import Candidate, Candidates


def test_a_challenger_is_undecided_unless_it_is_champion_already() -> None:
    first, second = (
        Candidate(
            name="m", version=number, uri=f"models:/m/{number}", tracking_uri="t", content="c", test_fingerprint="f"
        )
        for number in "12"
    )
    assert Candidates(challenger=second, champion=first).undecided
    assert Candidates(challenger=first, champion=None).undecided
    assert not Candidates(challenger=first, champion=first).undecided
    assert not Candidates(challenger=None, champion=first).undecided
