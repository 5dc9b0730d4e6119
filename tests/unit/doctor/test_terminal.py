"""A terminal that cannot show every letter."""

from __future__ import annotations

from florence2.doctor.terminal import check_terminal


def test_a_terminal_without_unicode_is_reported() -> None:
    assert check_terminal("utf-8")[0].level == "ok"
    assert check_terminal("ascii")[0].fix == check_terminal(None)[0].fix == "export PYTHONUTF8=1"
