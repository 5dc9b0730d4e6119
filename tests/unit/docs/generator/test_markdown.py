from __future__ import annotations

from docs.generator.markdown import escaped, table


def test_tokens_bars_and_stars_are_shown_as_they_are() -> None:
    assert escaped("<OD> a|b *") == "\\<OD> a\\|b \\*"


def test_a_table_has_a_line_for_each_row() -> None:
    assert table(["a", "b"], [["1", "2"], ["3", "4"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |\n"
