"""Numbers are written in one way, whoever shows them."""

from __future__ import annotations

import pytest

from florence2.evaluation.bootstrap import Interval
from florence2.reports.formats import (
    format_chance,
    format_count,
    format_interval,
    format_number,
    format_percent,
    format_score,
    format_share,
    format_signed,
    shorten_path,
)

DASH = "\N{EN DASH}"


def test_scores_have_three_decimals_and_a_dash_where_there_is_none() -> None:
    assert [format_score(value) for value in (0.12345, 1.0, None)] == ["0.123", "1.000", DASH]
    assert [format_share(value) for value in (0.5, None)] == ["50.0%", DASH]
    assert [format_number(value) for value in (0.123456, 12.0, None)] == ["0.1235", "12", DASH]


def test_differences_have_a_sign_and_a_real_minus() -> None:
    assert [format_signed(value) for value in (0.25, -0.25, None)] == ["+0.250", "\N{MINUS SIGN}0.250", ""]
    assert format_interval(Interval(-0.1, 0.25)) == "\N{MINUS SIGN}0.100 to 0.250"


@pytest.mark.parametrize(("value", "length"), [(0.5, "50.0%"), (-1.0, "0.0%"), (7.0, "100.0%"), (None, "0.0%")])
def test_a_bar_never_leaves_its_track(value: float | None, length: str) -> None:
    assert format_percent(value) == length


def test_resamples_never_show_certainty() -> None:
    assert [format_chance(value) for value in (1.0, 0.97, 0.0)] == ["over 99.9%", "97.0%", "under 0.1%"]


def test_counts_have_commas_and_paths_only_their_last_two_parts() -> None:
    assert format_count(1234567) == "1,234,567"
    assert shorten_path("/home/someone/cards/test/a.png") == "test/a.png"
