"""Curves and reliability diagrams as the points of inline SVG; colours and text are the template's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from florence2.evaluation import RECALLS, Calibration

__all__ = ["FRAME", "Bar", "Frame", "curve_points", "reliability_bars"]


@dataclass(frozen=True)
class Frame:
    """The square of a chart from 0 to 1 in both directions, in units of its SVG.

    Attributes:
        left: horizontal position of 0.
        top: vertical position of 1.
        width: distance from 0 to 1.
        height: distance from 0 to 1.
    """

    left: float = 54
    top: float = 10
    width: float = 336
    height: float = 210

    def x(self, value: float) -> float:
        """Return the horizontal position of a value."""
        return round(self.left + value * self.width, 1)

    def y(self, value: float) -> float:
        """Return the vertical position of a value."""
        return round(self.top + (1 - value) * self.height, 1)


FRAME = Frame()


@dataclass(frozen=True)
class Bar:
    """A bar of a reliability diagram; ``middle`` is the position of the mean confidence of its boxes."""

    x: float
    y: float
    width: float
    height: float
    middle: float


def curve_points(precision: Sequence[float], frame: Frame = FRAME) -> str:
    """Return the points of a polyline through the precision at each of ``RECALLS``."""
    return " ".join(f"{frame.x(recall)},{frame.y(value)}" for recall, value in zip(RECALLS, precision, strict=True))


def reliability_bars(calibration: Calibration, frame: Frame = FRAME) -> list[Bar]:
    """Return a bar for each bin with boxes: as high as the share that is right."""
    return [
        Bar(
            x=frame.x(one.low) + 1,
            y=frame.y(one.right),
            width=round(frame.width * (one.high - one.low) - 2, 1),
            height=round(frame.height * one.right, 1),
            middle=frame.x(one.confidence),
        )
        for one in calibration.bins
    ]
