"""``Finding``: the worst of several levels."""

from __future__ import annotations

from florence2.doctor import worst


def test_the_worst_level_counts() -> None:
    assert worst([]) == "ok"
    assert worst(["ok", "problem", "warning"]) == "problem"
