"""How numbers are written on pages, on cards and on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Protocol

from florence2.datasets import compact

if TYPE_CHECKING:
    from florence2.datasets import Distribution

__all__ = [
    "FORMATS",
    "Ends",
    "format_chance",
    "format_count",
    "format_interval",
    "format_median",
    "format_number",
    "format_percent",
    "format_score",
    "format_share",
    "format_signed",
    "format_spread",
    "shorten_path",
]

_DASH, _MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"


class Ends(Protocol):
    """What has two ends: an ``Interval``, which is not imported, so that pages of data sets need no evaluation."""

    @property
    def low(self) -> float:
        """Return the lower end."""

    @property
    def high(self) -> float:
        """Return the upper end."""


def format_score(value: float | None) -> str:
    """Return a score with three decimals; a dash where there is none."""
    return _DASH if value is None else f"{value:.3f}"


def format_signed(value: float | None) -> str:
    """Return a difference with its sign; empty where there is none."""
    return "" if value is None else _with_minus(f"{value:+.3f}")


def format_interval(interval: Ends) -> str:
    """Return the two ends of an interval."""
    return _with_minus(f"{interval.low:.3f} to {interval.high:.3f}")


def format_share(value: float | None) -> str:
    """Return a share of 0 to 1 in per cent; a dash where there is none."""
    return _DASH if value is None else f"{value:.1%}"


def format_percent(value: float | None) -> str:
    """Return the length of a bar for a CSS rule: a share in per cent, at least 0 % and at most 100 %."""
    return f"{min(max(value or 0.0, 0.0), 1.0) * 100:.1f}%"


def format_chance(probability: float) -> str:
    """Return a probability in per cent; resamples cannot show certainty."""
    if probability > 0.999:
        return "over 99.9%"
    return "under 0.1%" if probability < 0.001 else f"{probability:.1%}"


def format_number(value: float | None) -> str:
    """Return any number with four digits; a dash where there is none."""
    return _DASH if value is None else f"{value:.4g}"


def format_count(count: int) -> str:
    """Return a count with a comma between thousands."""
    return f"{count:,}"


def format_median(distribution: Distribution) -> str:
    """Return the median of a distribution; a dash where it has no value."""
    return _DASH if distribution.median is None else compact(distribution.median)


def format_spread(distribution: Distribution) -> str:
    """Return the least and the greatest value of a distribution; empty where it has none."""
    if distribution.minimum is None or distribution.maximum is None:
        return ""
    return f"{compact(distribution.minimum)} to {compact(distribution.maximum)}"


def shorten_path(path: str) -> str:
    """Return the last two parts of a path: more has no meaning for a reader, and may reveal how a machine is set up."""
    return "/".join(PurePosixPath(path).parts[-2:])


def _with_minus(text: str) -> str:
    return text.replace("-", _MINUS)


FORMATS: Mapping[str, Callable[[Any], str]] = {
    "score": format_score,
    "signed": format_signed,
    "interval": format_interval,
    "share": format_share,
    "percent": format_percent,
    "chance": format_chance,
    "number": format_number,
    "grouped": format_count,
    "median": format_median,
    "spread": format_spread,
    "short_path": shorten_path,
}
"""The filters of the templates, by their names."""
